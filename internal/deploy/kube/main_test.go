package kube

import (
	"testing"

	"go.uber.org/goleak"
)

// Every watch, stream and port-forward has an owner that ends it, but for the
// library's wait for the acknowledgement of a stream whose connection broke.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/moby/spdystream.(*Stream).WaitTimeout"))
}
