// Package dgdr reads a DynamoGraphDeploymentRequest: what Dynamo's operator takes
// for a search of a deployment, and its profiler with --config.
//
// A file's text flows in and a [Request] comes out: values for options of the
// search by their names, and what is done to the deployment in the end. Both
// versions of the API are read, and the bare spec that Dynamo's profiler takes.
// The package refuses what it would have to guess: keys that are not known, values
// of another type, quantities with a unit, fields that exclude each other, and
// whatever changes the answer and that headway does not do. What it leaves out
// without changing the answer is in [Request.Unused], with the reason. It opens no
// file and starts nothing.
package dgdr
