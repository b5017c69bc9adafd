package chart

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"html"
	"image/png"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// dpi is the resolution of a PNG in dots per inch: 1800 by 1100 pixels, sharp
// at the width of a printed page.
const dpi = 200

// fontFamily names the font in SVG. The text is measured in the first; the next
// two have the same widths, and are there where it is not.
const fontFamily = "Liberation Sans, Arial, Helvetica, sans-serif"

// WriteSVG draws the chart as one SVG element of 648 by 396 points, without an
// XML declaration, so that it is a file by itself and can also stand inside an
// HTML page. It fails when Validate does or w does.
func (c Chart) WriteSVG(w io.Writer) error {
	if err := c.Validate(); err != nil {
		return err
	}
	return writeSVG(w, c.Title, c.draw)
}

// drawing paints a picture; see Chart.draw.
type drawing func(canvas vg.Canvas, embedded bool)

// writeSVG writes a picture with a title for those who cannot see it.
func writeSVG(w io.Writer, title string, draw drawing) error {
	canvas := vgsvg.NewWith(vgsvg.UseWH(width, height))
	draw(canvas, false)
	var raw bytes.Buffer
	if _, err := canvas.WriteTo(&raw); err != nil {
		return fmt.Errorf("drawing chart %q as SVG: %w", title, err)
	}
	out, err := dressSVG(raw.Bytes(), title)
	if err != nil {
		return fmt.Errorf("drawing chart %q as SVG: %w", title, err)
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("writing chart %q as SVG: %w", title, err)
	}
	return nil
}

// dressSVG replaces the backend's prologue by one with a name for screen
// readers and a font family with fallbacks, and takes the family off every
// single text, where the backend names one font without any.
func dressSVG(raw []byte, title string) ([]byte, error) {
	start := bytes.Index(raw, []byte("<svg"))
	if start < 0 {
		return nil, errors.New("the SVG backend wrote no <svg> element")
	}
	end := bytes.IndexByte(raw[start:], '>')
	if end < 0 {
		return nil, errors.New("the SVG backend left its <svg> element open")
	}
	body := raw[start+end+1:]
	// Neither string can occur in a text: quotes there are escaped.
	body = bytes.ReplaceAll(body,
		[]byte(`style="font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;`),
		[]byte(`style="`))
	body = bytes.ReplaceAll(body,
		[]byte(`style="font-family:Liberation Sans;font-variant:normal;font-weight:bold;font-style:normal;`),
		[]byte(`style="font-weight:bold;`))
	var out bytes.Buffer
	name := html.EscapeString(oneLine(title))
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%gpt" height="%gpt" viewBox="0 0 %g %g" `+
		`role="img" aria-label="%s" font-family="%s">`,
		width.Points(), height.Points(), width.Points(), height.Points(), name, fontFamily)
	fmt.Fprintf(&out, "\n<title>%s</title>", name)
	out.Write(body)
	return out.Bytes(), nil
}

// WritePNG draws the chart as an image of 1800 by 1100 pixels that carries its
// resolution, so that it is pasted at 9 by 5.5 inches. It fails when Validate
// does or w does.
func (c Chart) WritePNG(w io.Writer) error {
	if err := c.Validate(); err != nil {
		return err
	}
	return writePNG(w, c.Title, c.draw)
}

func writePNG(w io.Writer, title string, draw drawing) error {
	canvas := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))
	draw(canvas, true)
	var raw bytes.Buffer
	// Best speed takes two thirds of the time for files that are 5 % larger.
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&raw, canvas.Image()); err != nil {
		return fmt.Errorf("drawing chart %q as PNG: %w", title, err)
	}
	if _, err := w.Write(withResolution(raw.Bytes())); err != nil {
		return fmt.Errorf("writing chart %q as PNG: %w", title, err)
	}
	return nil
}

// headerEnd is where a PNG's first chunk ends: the signature of 8 bytes, then
// IHDR with 13 bytes of data between 8 bytes of length and type and 4 of
// checksum (PNG specification, third edition, 5.2, 5.3 and 11.2.1).
const headerEnd = 8 + 8 + 13 + 4

// withResolution inserts a pHYs chunk (PNG specification, 11.3.4.3) after the
// header: the standard library writes none, and without it an office program
// takes 96 dpi and pastes the picture at twice its size.
func withResolution(raw []byte) []byte {
	perMetre := uint32(math.Round(dpi / 0.0254))
	chunk := []byte("pHYs")
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = append(chunk, 1) // the unit is the metre

	out := make([]byte, 0, len(raw)+len(chunk)+8)
	out = append(out, raw[:headerEnd]...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(chunk)-4))
	out = append(out, chunk...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
	return append(out, raw[headerEnd:]...)
}
