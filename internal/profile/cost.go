package profile

// CostPer1000 is what a thousand requests cost on a prefill and a decode worker
// of so many tokens per second and GPU, both always busy:
//
//	(ISL/prefill + OSL/decode) · 1000 · price of a GPU hour / 3600
//
// It is the cost of Dynamo's cost plot. [Deployment] prices whole pools.
func CostPer1000(isl, osl int, prefill, decode, gpuHour float64) float64 {
	return (float64(isl)/prefill + float64(osl)/decode) * 1000 * gpuHour / 3600
}
