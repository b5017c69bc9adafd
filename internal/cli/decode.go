package cli

import (
	"encoding"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"headway/internal/config"
	"headway/internal/options"
)

// decoders are how values are read wherever they stand: on the command line, in
// the environment or in a file.
func (a App) decoders() []kong.Option {
	all := []kong.Option{
		kong.NamedMapper("path", kong.MapperFunc(a.decodePath)),
		kong.NamedMapper("home", kong.MapperFunc(a.decodeHome)),
		kong.TypeMapper(reflect.TypeFor[options.Ahead](), mayHaveValue{}),
		kong.TypeMapper(reflect.TypeFor[options.WebAddress](), mayHaveValue{}),
	}
	for _, kind := range []reflect.Kind{reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64} {
		all = append(all, kong.KindMapper(kind, kong.MapperFunc(decodeNumber)))
	}
	return all
}

// mayStandAlone is the value of an option that stands alone or has one.
type mayStandAlone interface {
	encoding.TextUnmarshaler
	// MayFollow says whether the argument after the option is its value.
	MayFollow(next string) bool
}

// mayHaveValue reads an option that stands alone or has a value (--preconnect=64).
type mayHaveValue struct{}

// Decode reads the value where there is one.
func (mayHaveValue) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	text := "true"
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		text = fmt.Sprint(ctx.Scan.Pop().Value)
	}
	return target.Addr().Interface().(mayStandAlone).UnmarshalText([]byte(text))
}

// IsBool makes the value of the option one that need not be there.
func (mayHaveValue) IsBool() bool { return true }

// decodeNumber reads decimals only. kong's own takes 010 for eight.
func decodeNumber(ctx *kong.DecodeContext, target reflect.Value) error {
	token, err := ctx.Scan.PopValue("number")
	if err != nil {
		return err
	}
	text := fmt.Sprint(token.Value)
	if err := config.Decimal(text); err != nil {
		return fmt.Errorf("%q: %w", text, err)
	}
	if target.Kind() == reflect.Float64 {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		target.SetFloat(x)
		return nil
	}
	if target.Kind() == reflect.Uint64 {
		n, err := strconv.ParseUint(text, 10, 64)
		target.SetUint(n)
		return wholeNumber(text, err)
	}
	n, err := strconv.ParseInt(text, 10, target.Type().Bits())
	target.SetInt(n)
	return wholeNumber(text, err)
}

// wholeNumber is what err of reading text means.
func wholeNumber(text string, err error) error {
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "range"):
		return fmt.Errorf("%q is too large", text)
	}
	return fmt.Errorf("%q is not a whole number", text)
}

// decodePath reads a path: ~ is the home folder, a relative one becomes absolute,
// and - stays. Of a list each is.
func (a App) decodePath(ctx *kong.DecodeContext, target reflect.Value) error {
	if target.Kind() == reflect.Slice {
		return decodeEach(ctx, target, a.absolute)
	}
	if err := a.decodeHome(ctx, target); err != nil {
		return err
	}
	path := target.String()
	if path == "-" || path == "" && ctx.Value.HasDefault {
		return nil
	}
	path, err := filepath.Abs(path)
	if err == nil {
		target.SetString(path)
	}
	return err
}

// decodeEach reads a list, and has each of its values made what it stands for.
func decodeEach(ctx *kong.DecodeContext, target reflect.Value, of func(string) (string, error)) error {
	list := kong.NewRegistry().RegisterDefaults().ForType(target.Type())
	if err := list.Decode(ctx, target); err != nil {
		return err
	}
	for i := range target.Len() {
		text, err := of(target.Index(i).String())
		if err != nil {
			return err
		}
		target.Index(i).SetString(text)
	}
	return nil
}

// absolute is a path of a list.
func (a App) absolute(path string) (string, error) {
	path, err := config.ExpandHome(path, a.Getenv)
	if err != nil || path == "-" {
		return path, err
	}
	return filepath.Abs(path)
}

// decodeHome reads what may be a path and may be a name.
func (a App) decodeHome(ctx *kong.DecodeContext, target reflect.Value) error {
	if target.Kind() == reflect.Slice {
		return decodeEach(ctx, target, func(text string) (string, error) { return config.ExpandHome(text, a.Getenv) })
	}
	var text string
	if err := ctx.Scan.PopValueInto("file", &text); err != nil {
		return err
	}
	kind, path, prefixed := strings.Cut(text, ":~")
	if prefixed { // npz:~/x
		text = "~" + path
	}
	text, err := config.ExpandHome(text, a.Getenv)
	if prefixed {
		text = kind + ":" + text
	}
	target.SetString(text)
	return err
}

// tryValue reads a value as the option would and says what is wrong with it.
func tryValue(flag *kong.Flag, value any) error {
	target := reflect.New(flag.Target.Type()).Elem()
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.New(target.Type().Elem()))
	}
	scan := kong.Scan().PushTyped(value, kong.FlagValueToken)
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, target); err != nil {
		return err
	}
	text, ok := value.(string)
	if !ok || flag.Enum == "" || target.Kind() != reflect.String || flag.EnumMap()[text] {
		return nil
	}
	allowed := slices.DeleteFunc(flag.EnumSlice(), func(s string) bool { return s == "" })
	return fmt.Errorf("%q: must be one of %s", text, strings.Join(allowed, ", "))
}
