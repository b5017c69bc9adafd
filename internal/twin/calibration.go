package twin

// Calibration says how a server was measured for a fit.
type Calibration struct {
	URL   string `json:"url"`
	Model string `json:"model"`
	// Probes are loads, Requests and tokens all that they sent and got.
	Probes       int `json:"probes"`
	Requests     int `json:"requests"`
	PromptTokens int `json:"prompt_tokens"`
	OutputTokens int `json:"output_tokens"`
	// LoadSeconds is for how long the server was loaded.
	LoadSeconds float64 `json:"load_s"`
	// Doubts are why the twin is to be believed less than its errors say.
	Doubts []string `json:"doubts,omitempty"`
}
