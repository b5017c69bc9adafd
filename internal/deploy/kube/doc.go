// Package kube runs candidates on Kubernetes, as DynamoGraphDeployments, and
// reaches what runs there. It is the only package that imports client-go, of
// which it takes the dynamic client: a cluster's types are read field by field
// from what the API server sends.
//
// An object goes up to the API server; what becomes of it comes back by
// watches, never by asking again and again: of the object, its pods and the
// events about them. Logs are streamed into files. When the object is ready,
// the engine behind it is measured as a deploy.Endpoint. All that was made is on
// a deploy.Ledger before it is made, and goes again whatever happens.
//
// [Cluster.Survey] reads what stands in a namespace, for whoever looks for what is
// wrong in it, and changes nothing.
//
// The package refuses to know what a configuration means (package dgd does)
// and to choose among candidates.
package kube
