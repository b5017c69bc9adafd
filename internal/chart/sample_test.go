package chart_test

import (
	"fmt"
	"math"
	"strconv"

	"headway/internal/chart"
)

// levels are the concurrencies of a usual sweep.
func levels() []float64 { return []float64{1, 2, 5, 10, 50, 100, 250} }

// samples are the pictures that the goldens hold, by name.
func samples() map[string]chart.Chart {
	return map[string]chart.Chart{
		"one-series":    oneSeries(),
		"two-series":    twoSeries(),
		"twelve-series": twelveSeries(),
		"pareto":        pareto(),
		"one-point":     onePoint(),
		"no-points":     noPoints(),
		"eight-decades": eightDecades(),
		"long-names":    longNames(),
		"two-rows":      twoRows(),
		"targets":       targets(),
		"faint":         faint(),
		"fixed-range":   fixedRange(),
		"negative":      negative(),
		"fitted":        fitted(),
	}
}

// ttft is a curve that is flat and then rises: the shape of a queue filling.
func ttft(c, base, knee float64) float64 { return base * (1 + math.Pow(c/knee, 1.4)) }

func oneSeries() chart.Chart {
	c := chart.Chart{
		Title:    "Time to first token, p50",
		Subtitle: "Qwen/Qwen3-0.6B · 2,000 tokens in, 256 out · 1 × H100",
		X:        chart.Axis{Label: "Concurrency (requests in flight)", Log: true, Values: levels()},
		Y:        chart.Axis{Label: "Time to first token (ms)"},
		Note:     "SIMULATED · 5 runs per level · whiskers: 95 % interval of the mean · headway 0.1",
	}
	s := chart.Series{Name: "vLLM, tp=1"}
	for i, x := range levels() {
		y := ttft(x, 42, 40)
		s.Points = append(s.Points, chart.Point{X: x, Y: y, Low: y * 0.9, High: y*1.08 + float64(i)*4})
	}
	c.Series = []chart.Series{s}
	return c
}

func twoSeries() chart.Chart {
	c := oneSeries()
	c.Title = "Time to first token: aggregated and disaggregated"
	c.Series[0].Name = "aggregated"
	s := chart.Series{Name: "disaggregated <2P & 6D>"}
	for _, x := range levels() {
		y := ttft(x, 60, 120)
		s.Points = append(s.Points, chart.Point{X: x, Y: y, Low: y * 0.95, High: y * 1.05})
	}
	c.Series = append(c.Series, s)
	c.Lines = []chart.Line{{Value: 300, Label: "target: p50 < 300 ms"}}
	return c
}

func twelveSeries() chart.Chart {
	c := chart.Chart{
		Title:    "Output throughput by parallel mapping",
		Subtitle: "Llama-3.3-70B · 8 × H200",
		X:        chart.Axis{Label: "Concurrency (requests in flight)", Log: true, Values: levels()},
		Y:        chart.Axis{Label: "Output throughput (tokens/s)"},
		Note:     "SIMULATED · one run per level",
	}
	for i := range chart.MaxSeries {
		s := chart.Series{Name: fmt.Sprintf("mapping %d: tp=%d pp=%d", i+1, 1<<(i%4), 1+i/4)}
		for _, x := range levels() {
			top := 9000 - 600*float64(i)
			s.Points = append(s.Points, chart.Point{X: x, Y: top * x / (x + 30 + 6*float64(i))})
		}
		c.Series = append(c.Series, s)
	}
	return c
}

func pareto() chart.Chart {
	c := chart.Chart{
		Title:    "Throughput per GPU against speed per user",
		Subtitle: "Each point is one concurrency level, written beside it",
		X:        chart.Axis{Label: "Speed per user (tokens/s/user)"},
		Y:        chart.Axis{Label: "Throughput per GPU (tokens/s/GPU)"},
		Note:     "SIMULATED · 300 requests per level",
	}
	for i, name := range []string{"aggregated tp=4", "disaggregated 2P+6D", "disaggregated 4P+4D"} {
		s := chart.Series{Name: name}
		for _, n := range levels() {
			user := (160 - 12*float64(i)) / (1 + n/(60+30*float64(i)))
			s.Points = append(s.Points, chart.Point{X: user, Y: user * n / 8, Label: strconv.Itoa(int(n))})
		}
		c.Series = append(c.Series, s)
	}
	return c
}

func onePoint() chart.Chart {
	return chart.Chart{
		Title: "One level",
		X:     chart.Axis{Label: "Concurrency", Log: true, Values: []float64{10}},
		Y:     chart.Axis{Label: "Inter-token latency (ms)"},
		Series: []chart.Series{{Name: "local",
			Points: []chart.Point{{X: 10, Y: 12.25, Low: 11, High: 13, Label: "10"}}}},
	}
}

func noPoints() chart.Chart {
	return chart.Chart{
		Title:  "Nothing was measured",
		X:      chart.Axis{Label: "Concurrency", Log: true},
		Y:      chart.Axis{Label: "Inter-token latency (ms)"},
		Empty:  "no level has a finished request",
		Series: []chart.Series{{Name: "gap only", Points: []chart.Point{{X: 1, Y: math.NaN()}}}},
	}
}

func eightDecades() chart.Chart {
	c := chart.Chart{
		Title: "Values over eight decades",
		X:     chart.Axis{Label: "Prompt length (tokens)", Log: true},
		Y:     chart.Axis{Label: "Time (s)", Log: true},
	}
	rising, falling := chart.Series{Name: "rising"}, chart.Series{Name: "falling"}
	for k := -3; k <= 5; k++ {
		v := math.Pow(10, float64(k))
		rising.Points = append(rising.Points, chart.Point{X: v, Y: v, Low: v / 3, High: v * 3})
		falling.Points = append(falling.Points, chart.Point{X: v, Y: 10 / v, Low: -1, High: 30 / v})
	}
	c.Series = []chart.Series{rising, falling}
	return c
}

func longNames() chart.Chart {
	c := pareto()
	c.Title = "Ein sehr langer Titel, der in einer einzigen Zeile der Abbildung ganz sicher keinen Platz findet und " +
		"deshalb umbrochen wird"
	c.Subtitle = "Température, größte Länge, Ελληνικά, кириллица, 模型 推理 吞吐量 & <b>\"quoted\"</b>"
	c.X.Label = "Скорость на пользователя (токенов/с)"
	c.Y.Label = "A label so long that it does not fit beside the plot: throughput per GPU, averaged over the steady " +
		"part (tokens/s/GPU)"
	c.Series[0].Name = "meta-llama/Llama-3.3-70B-Instruct, aggregated, tensor parallel 4, fp8 weights"
	c.Series[1].Name = "meta-llama/Llama-3.3-70B-Instruct, disaggregated, tensor parallel 4, fp8 weights"
	for _, end := range []string{"fp8 weights", "bf16 weights"} {
		c.Series = append(c.Series, chart.Series{Name: "meta-llama/Llama-3.3-70B-Instruct, disaggregated, tensor " +
			"parallel 8, " + end})
	}
	c.Series[2].Name = "千问模型 <tp & pp> \"größte\""
	c.Series[1].Points[3].Label = "ten requests"
	c.Note = "SIMULATED · a note that goes on and on, since whoever wrote it wanted to say how many samples there " +
		"were, what the whiskers mean, which machine it was, and which version of the program drew it on which day " +
		"of the week"
	return c
}

func twoRows() chart.Chart {
	c := twoSeries()
	c.Title = "Two long names keep their length below the plot"
	c.Series[0].Name = "meta-llama/Llama-3.3-70B-Instruct, aggregated, tensor parallel 4, fp8 weights"
	c.Series[1].Name = "meta-llama/Llama-3.3-70B-Instruct, disaggregated, tensor parallel 4, fp8 weights"
	return c
}

func targets() chart.Chart {
	c := pareto()
	c.Title = "Targets inside and beyond the axes"
	c.Lines = []chart.Line{
		{Value: 500, Label: "500 tokens/s/GPU"},
		{Value: 50, Vertical: true, Label: "50 tokens/s/user"},
		{Value: 1e6, Label: "1,000,000 tokens/s/GPU"},
		{Value: 100},
	}
	return c
}

func faint() chart.Chart {
	c := pareto()
	c.Title = "One run emphasised"
	c.Series[0].Faint = true
	c.Series[2].Faint = true
	c.Series[1].Points[2].Y = math.NaN()
	return c
}

func fixedRange() chart.Chart {
	c := oneSeries()
	c.Title = "Fixed axes leave points out and say so"
	c.X.Min, c.X.Max = 1.5, 120
	c.Y.Min, c.Y.Max = 40, 130
	return c
}

func negative() chart.Chart {
	c := chart.Chart{
		Title: "Difference from the baseline",
		X:     chart.Axis{Label: "Run", Min: math.NaN(), Max: math.NaN()},
		Y:     chart.Axis{Label: "Change of throughput (%)"},
	}
	s := chart.Series{Name: "change"}
	for i := range 30 {
		s.Points = append(s.Points,
			chart.Point{X: float64(1001 + i), Y: 3 * math.Sin(float64(i)/3), Label: strconv.Itoa(i)})
	}
	c.Series = []chart.Series{s}
	return c
}

// fitted is a measured curve with a smooth one through it.
func fitted() chart.Chart {
	c := oneSeries()
	c.Title = "Measured points and a fitted curve"
	fit := chart.Series{Name: "fit: R² = 0.998", Smooth: true, Faint: true}
	for x := 1.0; x <= 250; x *= 1.15 {
		fit.Points = append(fit.Points, chart.Point{X: x, Y: ttft(x, 42, 40)})
	}
	c.Series = append(c.Series, fit)
	return c
}
