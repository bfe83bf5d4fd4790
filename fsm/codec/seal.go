package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/creditd/creditd/fsm/fields"
)

// ErrDamaged is in the chain of an error of DecodeBatch or DecodeResult if the bytes are damaged. Otherwise another build wrote them.
var ErrDamaged = errors.New("damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal appends the checksum of the bytes since start.
func seal(buf []byte, start int) []byte {
	return binary.LittleEndian.AppendUint32(buf, crc32.Checksum(buf[start:], castagnoli))
}

// unseal checks the checksum at the end and returns the bytes before it.
func unseal(data []byte) ([]byte, error) {
	if len(data) < crc32.Size {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, fields.ErrShort)
	}
	body, sum := data[:len(data)-crc32.Size], data[len(data)-crc32.Size:]
	if got, want := crc32.Checksum(body, castagnoli), binary.LittleEndian.Uint32(sum); got != want {
		return nil, fmt.Errorf("%w: checksum is %08x, want %08x", ErrDamaged, got, want)
	}
	return body, nil
}

// framed writes or checks the frame version of a batch or a result.
func framed(v *fields.Visitor, version byte) bool {
	got := version
	if v.Byte(&got); got != version {
		v.Fail(fmt.Errorf("version is %d, this build reads %d", got, version))
	}
	return v.Err() == nil
}
