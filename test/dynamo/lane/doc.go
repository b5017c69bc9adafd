// Package lane tries headway on NVIDIA Dynamo itself: its frontend, its KV
// router and its mocker workers, installed from the package registry and run on
// this machine without a GPU (docs/dynamo.md).
//
// What a release does is seen here first, and cannot be said by servers of our
// own: which fields of a request it refuses, what its streams and counters look
// like, and how long its simulated engines take. Whatever fails here gets a test
// that needs no Dynamo, in the package at fault.
//
// The tests are skipped without DYNAMO_VENV, the folder that install.sh prints.
// They use nothing of headway but the program, as a user would.
package lane
