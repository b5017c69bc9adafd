package export

import (
	"context"
	"errors"

	"headway/internal/export/upload"
	"headway/internal/study"
)

// After sends the files of a call that has ended with err to object storage, where that
// is asked for: of the folder dir what parts name, by default all. A call that measured
// nothing, that left earlier results as they were or that was interrupted sends nothing.
// What goes wrong is a warning: the files are in the folder.
func (e *Exports) After(ctx context.Context, dir string, parts []string, err error) {
	if e == nil || e.o.UploadURL == "" || ctx.Err() != nil || errors.Is(err, study.ErrOldStay) ||
		err != nil && !e.measured.Load() {
		return
	}
	objects, bytes, err := upload.Upload{URL: e.o.UploadURL, Dir: dir, Parts: parts}.Send(ctx)
	if err != nil {
		e.note("warning: the results were not sent to object storage, %d objects were; all of them are in %s: %v",
			objects, dir, err)
		return
	}
	e.note("sent to object storage: %d objects, %d bytes", objects, bytes)
}
