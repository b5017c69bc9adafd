// Package audit watches the client while it measures and says whether it was
// good enough: whether the figures are the server's or its own.
//
// A [Watch] lives as long as the measured phase. It takes the Records for how
// sends and arrivals kept to the plan, asks the runtime and the system once a
// second for what else the machine did, and sends itself a byte every ten
// milliseconds to know how late this program notices what has arrived. [Judge]
// turns what was found, a record.Audit, into a verdict with reasons; it is a
// pure function, so that a stored run can be judged again with another bound.
//
// Data flows one way: records, /proc and runtime/metrics in, a record.Audit
// out. The package corrects no figure, slows nothing down and ends no run: a
// measurement that is not valid is reported, and reported as such. It knows
// nothing of HTTP or of who starts the load.
package audit
