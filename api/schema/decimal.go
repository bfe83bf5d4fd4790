package schema

import (
	"bytes"
	"strconv"
)

// decimal is the mathematical value of a JSON number as far as integers go, worked out without expanding exponents:
// 1e999999999 is a short text but not a short integer.
type decimal struct {
	integral bool
	negative bool
	written  bool   // written as an integer, without fraction or exponent
	huge     bool   // integral and beyond uint64
	size     uint64 // absolute value of an integral number that is not huge
}

// maxExponent bounds the exponents that are taken for numbers at all, as the validator library does.
const maxExponent = 1_000_000

func parseDecimal(literal []byte) decimal {
	var d decimal
	text := literal
	if text[0] == '-' {
		d.negative = true
		text = text[1:]
	}
	mantissa, exponent := text, 0
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		var err error
		mantissa = text[:i]
		exponent, err = strconv.Atoi(string(text[i+1:]))
		if err != nil || exponent > maxExponent || exponent < -maxExponent {
			exponent = -maxExponent - 1 // not an integer, unless it is zero
		}
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	d.written = len(mantissa) == len(text) && len(whole) == len(mantissa)
	fraction = bytes.TrimRight(fraction, "0")
	digits := append(append(make([]byte, 0, len(whole)+len(fraction)), whole...), fraction...)
	exponent -= len(fraction)
	digits = bytes.TrimLeft(digits, "0")
	if len(digits) == 0 {
		d.integral = true
		return d
	}
	for trimmed := bytes.TrimRight(digits, "0"); exponent < 0 && len(trimmed) < len(digits); exponent++ {
		digits = digits[:len(digits)-1]
	}
	if exponent < 0 {
		return d
	}
	d.integral = true
	if len(digits)+exponent > 20 {
		d.huge = true
		return d
	}
	size, err := strconv.ParseUint(string(append(digits, bytes.Repeat([]byte("0"), exponent)...)), 10, 64)
	d.size, d.huge = size, err != nil
	return d
}

// less reports whether the integral number d is below bound.
func (d decimal) less(bound int64) bool {
	if !d.negative {
		return !d.huge && bound > 0 && d.size < uint64(bound)
	}
	return d.huge || bound > 0 || d.size > -uint64(bound)
}

// more reports whether the integral number d is above bound.
func (d decimal) more(bound int64) bool {
	if !d.negative {
		return d.huge || bound < 0 || d.size > uint64(bound)
	}
	return !d.huge && bound < 0 && d.size < -uint64(bound)
}

// unfit says why a number within the bounds of the schema is not an int64.
func (d decimal) unfit() string {
	if d.written {
		return "does not fit a signed 64-bit integer"
	}
	return "must be written as an integer, without fraction or exponent"
}
