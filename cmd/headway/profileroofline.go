package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"headway/internal/model"
	"headway/internal/profile"
)

// profileRooflineCmd holds a measured profile against the roofline.
type profileRooflineCmd struct {
	Dir         string  `name:"profile-results-dir" type:"path" placeholder:"DIR" help:"Folder of the profile."`
	KnownModel  string  `name:"known-model" placeholder:"NAME" help:"A model whose facts are inside, such as llama-3.1-8b."`
	ModelConfig string  `name:"model-config" type:"path" placeholder:"FILE" help:"A model's config.json, or its folder."`
	GPU         string  `name:"gpu" default:"h200_sxm" help:"a100_sxm, h100_sxm, h200_sxm, b200_sxm or l40s."`
	Mapping     string  `name:"mapping" default:"TP=1" help:"How the engine was laid out: TP=4, TEP=8, DEP=8, TP=8,PP=2."`
	KVDType     string  `name:"kv-cache-dtype" default:"auto" placeholder:"FORMAT" help:"Number format of the engine's KV cache: auto (what the model's configuration says), bfloat16, float16, fp8, fp8_e4m3, fp8_e5m2, int8 or nvfp4."`
	ComputeEff  float64 `name:"compute-efficiency" default:"0.6" help:"Share of the peak rate that is reached."`
	MemoryEff   float64 `name:"memory-efficiency" default:"0.8" help:"Share of the memory bandwidth that is reached."`
	JSON        bool    `name:"json" help:"Print the comparison as JSON."`
}

// Help is shown below the options.
func (profileRooflineCmd) Help() string {
	return `Examples:

  headway profile roofline --profile-results-dir out --known-model llama-3.1-8b --gpu h200_sxm
  headway profile roofline --profile-results-dir out --model-config ./config.json --gpu h100_sxm --mapping TP=4

The efficiencies that fit are what 'headway profile sla --on sim' and
'headway sim serve --timing roofline' take as --compute-efficiency and
--memory-efficiency, to plan with a machine that was measured.`
}

func (c *profileRooflineCmd) run(_ context.Context, a app) (int, error) {
	setup, err := c.setup()
	if err != nil {
		return exitUsage, err
	}
	comparison, err := profile.CompareRoofline(c.Dir, setup)
	if err != nil {
		return exitFailed, err
	}
	if c.JSON {
		err = printJSON(a.stdout, comparison)
	} else {
		err = c.print(a.stdout, comparison)
	}
	if err != nil {
		return exitFailed, err
	}
	return exitDone, nil
}

func (c *profileRooflineCmd) setup() (model.Setup, error) {
	var bad faultList
	if c.Dir == "" {
		bad.add("--profile-results-dir: name the folder of a profile; `headway profile endpoint` measures one")
	}
	bad.between("compute-efficiency", c.ComputeEff, 0.01, 1)
	bad.between("memory-efficiency", c.MemoryEff, 0.01, 1)
	s := model.Setup{Efficiency: model.Efficiency{Compute: c.ComputeEff, Memory: c.MemoryEff}}
	var err error
	switch {
	case (c.KnownModel == "") == (c.ModelConfig == ""):
		err = errors.New("give --known-model or --model-config")
	case c.KnownModel != "":
		s.Model, err = model.Lookup(c.KnownModel)
	default:
		s.Model, err = model.ReadFile(c.ModelConfig)
	}
	if err != nil {
		bad = append(bad, err)
	}
	if s.KVElementBytes, err = model.KVElementBytes(c.KVDType); err != nil {
		bad.add("--kv-cache-dtype: %v", err)
	}
	if s.GPU, err = model.LookupGPU(c.GPU); err != nil {
		bad.add("--gpu: %v", err)
	}
	if s.Mapping, err = model.ParseMapping(c.Mapping); err != nil {
		bad.add("--mapping: %v", err)
	}
	return s, bad.err()
}

func (c *profileRooflineCmd) print(w io.Writer, cmp profile.Comparison) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "phase\tsequences\ttokens\tmeasured ms\troofline ms\tmeasured/roofline\tfitted ms\tmeasured/fitted\t")
	for _, p := range cmp.Points {
		sequences, fitted := "1", "–\t–"
		if p.Phase == profile.Decode {
			sequences = fmt.Sprintf("%.0f", p.Sequences)
		}
		if cmp.Fit != nil {
			fitted = fmt.Sprintf("%.2f\t%.2f", p.Fitted, p.Measured/p.Fitted)
		}
		fmt.Fprintf(t, "%s\t%s\t%.0f\t%.2f\t%.2f\t%.2f\t%s\t\n", p.Phase, sequences, p.Tokens, p.Measured, p.Predicted, p.Measured/p.Predicted, fitted)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	text := fmt.Sprintf("roofline: %.2f of the peak rate and %.2f of the memory bandwidth are reached, as given\n", c.ComputeEff, c.MemoryEff)
	if cmp.Fit == nil {
		text += "no fit: " + cmp.NoFit + "\n"
	} else {
		text += fmt.Sprintf("fitted: --compute-efficiency %.3f --memory-efficiency %.3f, root mean square of the relative errors %.1f %%\n", cmp.Fit.Compute, cmp.Fit.Memory, 100*cmp.Fit.RMS)
		for _, s := range cmp.Fit.Warnings {
			text += "warning: " + s + "\n"
		}
	}
	_, err := io.WriteString(w, text)
	return err
}
