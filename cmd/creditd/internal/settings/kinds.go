package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Value binds a setting that holds one value. argument is how the help text calls the value. The default is what into holds.
func Value[T comparable](s *Set, into *T, name, argument, usage string, parse func(string) (T, error)) {
	initial := ""
	if *into != *new(T) {
		initial = fmt.Sprint(*into)
	}
	bind(s, into, initial, name, argument, usage, parse)
}

func bind[T any](s *Set, into *T, initial, name, argument, usage string, parse func(string) (T, error), choices ...string) {
	s.add(&setting{name: name, argument: argument, initial: initial, assign: func(values []string) error {
		raw := values[len(values)-1] // of repeated flags the last counts, so a script can append its own
		value, err := parse(raw)
		if err != nil {
			return fmt.Errorf("%q: %w", raw, err)
		}
		*into = value
		return nil
	}}, usage, choices...)
}

// Text binds any text.
func (s *Set) Text(into *string, name, argument, usage string) {
	Value(s, into, name, argument, usage, func(raw string) (string, error) { return raw, nil })
}

// Secret binds a text that must not show in the process list: its flag exists only to say so.
func (s *Set) Secret(into *string, name, refusal string) {
	s.Text(into, name, "KEY", "")
	s.list[len(s.list)-1].refusal = refusal
	s.command.Flags().Lookup(name).Hidden = true
}

// Switch binds a setting that is on or off.
func (s *Set) Switch(into *bool, name, usage string) {
	Value(s, into, name, "", usage, func(raw string) (bool, error) {
		value, err := strconv.ParseBool(raw)
		if err != nil {
			return false, errors.New("neither true nor false")
		}
		return value, nil
	})
}

// Choice binds one of several words.
func Choice[T ~string](s *Set, into *T, name, usage string, choices ...string) {
	bind(s, into, string(*into), name, strings.Join(choices, "|"), usage, func(raw string) (T, error) {
		for _, choice := range choices {
			if raw == choice {
				return T(raw), nil
			}
		}
		return "", fmt.Errorf("unknown; one of %s", strings.Join(choices, ", "))
	}, choices...)
}

// Duration binds a duration of at least least.
func (s *Set) Duration(into *time.Duration, name string, least time.Duration, usage string) {
	bind(s, into, Short(*into), name, "DURATION", usage, func(raw string) (time.Duration, error) {
		value, err := time.ParseDuration(raw)
		if err != nil {
			return 0, errors.New("not a duration; write it like 500ms, 5s or 2m")
		}
		if value < least {
			return 0, fmt.Errorf("too short; at least %s", Short(least))
		}
		return value, nil
	})
}

// Short writes 2m for what Duration.String writes as 2m0s.
func Short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Number binds a whole number in a range, of whatever type the field has.
func Number[T ~int | ~int64 | ~uint64](s *Set, into *T, name string, least, most int64, usage string) {
	Value(s, into, name, "N", usage, func(raw string) (T, error) {
		value, err := strconv.ParseInt(raw, 10, 64)
		switch {
		case err != nil:
			return 0, errors.New("not a whole number")
		case value < least:
			return 0, fmt.Errorf("too small; at least %d", least)
		case value > most:
			return 0, fmt.Errorf("too large; at most %d", most)
		}
		return T(value), nil
	})
}

var units = []string{"KiB", "MiB", "GiB", "TiB"}

// Size binds a number of bytes.
func (s *Set) Size(into *uint64, name, usage string) {
	initial := strconv.FormatUint(*into, 10)
	for i, unit := range units {
		if whole := *into >> (10 * (i + 1)); whole > 0 && whole<<(10*(i+1)) == *into {
			initial = strconv.FormatUint(whole, 10) + unit
		}
	}
	bind(s, into, initial, name, "SIZE", usage, ParseSize)
}

// ParseSize reads a number of bytes with an optional unit.
func ParseSize(raw string) (uint64, error) {
	number, shift := raw, 0
	for i, unit := range units {
		if cut, found := strings.CutSuffix(raw, unit); found {
			number, shift = strings.TrimSpace(cut), 10*(i+1)
		}
	}
	value, err := strconv.ParseUint(number, 10, 62-shift)
	if err != nil {
		return 0, errors.New("not a size; write it like 256MiB or 2GiB, or as a number of bytes")
	}
	return value << shift, nil
}

// Items binds a list. Its flag may be repeated; each occurrence may hold several values with commas between them.
func (s *Set) Items(into *[]string, name, argument, usage string, parse func(string) (string, error)) {
	usage += "; repeatable or with commas"
	s.add(&setting{name: name, argument: argument, initial: strings.Join(*into, ","), many: true, assign: func(values []string) error {
		*into = nil
		for _, value := range values {
			for item := range strings.SplitSeq(value, ",") {
				if item = strings.TrimSpace(item); item == "" {
					continue
				}
				value, err := parse(item)
				if err != nil {
					return fmt.Errorf("%q: %w", item, err)
				}
				*into = append(*into, value)
			}
		}
		return nil
	}}, usage)
}
