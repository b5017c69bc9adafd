// Package plan says how many replicas of an engine a recorded load needs.
//
// A load is cut into windows; a plan meets the objectives when every window does. Each
// candidate (a mapping, a router, a number of replicas) is a replay of the load in
// virtual time. Candidates are taken in the order of their cost, so the first that meets
// the objectives is the cheapest, whatever the others would do. Those that cannot meet
// them are known by a bound (bound.go) without a replay, and a replay ends at the first
// window that is lost for certain (judge.go).
//
//	workload.Dataset ──► Load ──► bounds ──► search ──► by the hour, prices, risk ──► Result
//
// It refuses loads whose requests have no times or no lengths, and objectives that are
// not upper bounds on a time of single requests. It knows no servers: what mappings are
// worth is what their twins are.
package plan
