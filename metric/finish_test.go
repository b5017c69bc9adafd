package metric

import (
	"fmt"
	"slices"
	"testing"

	"headway/record"
)

func TestFinishReasons(t *testing.T) {
	var list []*record.Record
	add := func(n int, r func() *record.Record, reason string) {
		for range n {
			one := r()
			one.Finish = reason
			list = append(list, one)
		}
	}
	good := func() *record.Record { return reply(1, 11, 21) }
	bad := func() *record.Record { return failed(1, 5, record.Failure{Class: record.ClassAborted, Code: 502}) }
	add(3, good, "stop")
	add(5, good, "length")
	add(3, good, "content_filter")
	add(2, bad, "abort")
	add(4, good, "")
	list[0].Unknown, list[1].Unknown, list[11].Unknown = 2, 1, 7
	r := collect(Options{Streaming: true}, list...)
	want := []FinishCount{{"length", 5}, {"content_filter", 3}, {"stop", 3}, {"abort", 2}}
	if !slices.Equal(r.Finish, want) {
		t.Errorf("%v, want %v", r.Finish, want)
	}
	if r.OK != 15 || r.Failed != 2 || r.Failures[0].Failure.Class != record.ClassAborted {
		t.Errorf("%d ok, %d failed, %v", r.OK, r.Failed, r.Failures)
	}
	i := slices.IndexFunc(r.Warnings, func(w record.Warning) bool { return w.Code == "unknown_lines" })
	if i < 0 || r.Warnings[i].Text != "in 2 replies 3 lines are no field of an event stream and skipped: what they "+
		"held is in no count" {
		t.Errorf("warnings %v", r.Warnings)
	}
}

func TestManyFinishReasons(t *testing.T) {
	var e endings
	for i := range 150 {
		e.add(&record.Record{Finish: fmt.Sprintf("error: %03d", i)})
	}
	e.add(&record.Record{Finish: "error: 149"})
	list := e.counts()
	if len(list) != 101 || list[0] != (FinishCount{"error: 149", 2}) || list[100] != (FinishCount{OtherReasons, 50}) {
		t.Errorf("%d kinds, %v … %v", len(list), list[0], list[len(list)-1])
	}
}
