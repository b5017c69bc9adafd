package kube

import (
	"testing"

	"go.uber.org/goleak"
)

// Every watch, stream and port-forward has an owner that ends it, but for the
// library's waits for the acknowledgement of a stream whose connection broke, on
// the client's side and on that of the cluster that is played.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/moby/spdystream.(*Stream).WaitTimeout"),
		goleak.IgnoreAnyFunction("github.com/moby/spdystream.(*Stream).waitWriteReply"),
		goleak.IgnoreAnyFunction("headway/internal/deploy/kube.(*fakeAPI).portforward"))
}
