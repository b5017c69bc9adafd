package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"time"
)

//go:embed assets
var assets embed.FS

// templates are the pages. All text of servers, files and names is escaped by
// html/template, and the policy of guard.go lets no script run that stands in a page.
var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"percent": func(share float64) float64 { return 100 * share },
	"style":   func() template.CSS { return template.CSS(style) },
}).ParseFS(assets, "assets/*.html"))

// style stands in every page, so that a page is whole when it has come.
var style = text("style.css")

// styleHash names it in the policy of pages.
var styleHash = func() string {
	sum := sha256.Sum256([]byte(style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// text is a file that is embedded.
func text(name string) string {
	b, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(b)
}

// asset serves a file that is embedded.
func asset(name, kind string) http.HandlerFunc {
	text := []byte(text(name))
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(text) // the reader left
	}
}

// show writes a page; an error of the template shows before anything is written.
func show(w http.ResponseWriter, code int, name string, data any) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "making the page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	extend(w)
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // the reader left
}

// extend gives a reader its time again after a page that took long to make.
func extend(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience)) // none in tests
}

// page is the live page as it stands, which a browser without scripts reloads.
func (l *Live) page(w http.ResponseWriter, _ *http.Request) {
	f, _ := l.now()
	show(w, http.StatusOK, "live.html", struct {
		Title, Command string
		State          template.HTML
	}{l.title, l.command, template.HTML(f.render())}) // made by the template state
}

// render is the part of the page that changes, made once for all who read it.
func (f *frame) render() []byte {
	f.once.Do(func() {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, "state", f.shown); err != nil {
			b.Reset()
			b.WriteString(template.HTMLEscapeString("making the page: " + err.Error()))
		}
		f.html = b.Bytes()
	})
	return f.html
}
