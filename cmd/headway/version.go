package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"headway"
	"runtime/debug"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/supply"
)

// versionCmd says what this binary is and what it is made of.
type versionCmd struct {
	Licenses bool   `name:"licenses" xor:"what" help:"Print headway's licence, the modules that the binary holds and the texts of their licences."`
	SBOM     bool   `name:"sbom" xor:"what" help:"Print what the binary is made of, as CycloneDX JSON; the same binary gives the same bytes."`
	Binary   string `name:"of" type:"path" placeholder:"FILE" help:"--sbom of another binary of headway. Default: of this one."`
}

// Help is shown below the options.
func (versionCmd) Help() string {
	return `Examples:

  headway version
  headway version --licenses | less
  headway version --sbom > headway.cdx.json
  headway version --sbom --of dist/headway_0.1.0_linux_arm64/headway`
}

func (v versionCmd) Run(_ context.Context, a cli.App) (int, error) {
	if v.Binary != "" && !v.SBOM {
		return cli.Usage, fault.Usage(fault.New("%s has no effect without %s", fault.Field("of"), fault.Field("sbom")))
	}
	var err error
	switch {
	case v.Licenses:
		_, err = fmt.Fprintf(a.Stdout, "%s\n%s\n%s", headway.Notice, headway.License, headway.ThirdParty)
	case v.SBOM:
		err = v.sbom(a)
	default:
		_, err = fmt.Fprintf(a.Stdout, "headway %s\n", cli.Version)
	}
	if err != nil {
		return cli.Failed, err
	}
	return cli.Done, nil
}

func (v versionCmd) sbom(a cli.App) error {
	info, _ := debug.ReadBuildInfo()
	if v.Binary != "" {
		var err error
		if info, err = buildinfo.ReadFile(v.Binary); err != nil {
			return fmt.Errorf("reading what %s is made of: %w", v.Binary, err)
		}
	}
	known, err := supply.ParseNotice(headway.Notice)
	if err != nil {
		return err
	}
	return supply.WriteSBOM(a.Stdout, info, cli.Version, known)
}

func (versionCmd) EndsAtOnce() {}
