package bound

import "sync/atomic"

// Account counts the bytes that many requests hold together. It is safe for use
// by several goroutines. The zero value has no limit.
type Account struct {
	// Limit is the most that Take gives out; 0 is no limit. It is not to be
	// changed once the account is in use.
	Limit Bytes

	held, peak atomic.Int64
}

// Take adds n bytes, and reports false, with nothing added, where more than the
// limit would be held.
func (a *Account) Take(n int64) bool {
	if held := a.held.Add(n); a.Limit > 0 && held > int64(a.Limit) {
		a.held.Add(-n)
		return false
	}
	a.note()
	return true
}

// Add changes what is held by n bytes, whatever the limit: for amounts that are
// small or come back.
func (a *Account) Add(n int64) {
	a.held.Add(n)
	if n > 0 {
		a.note()
	}
}

func (a *Account) note() {
	held := a.held.Load()
	for peak := a.peak.Load(); held > peak && !a.peak.CompareAndSwap(peak, held); peak = a.peak.Load() {
	}
}

// Held is how many bytes are held now, Peak the most that were at one time.
func (a *Account) Held() int64 { return a.held.Load() }

// Peak is the most that was held at one time, in bytes.
func (a *Account) Peak() int64 { return a.peak.Load() }
