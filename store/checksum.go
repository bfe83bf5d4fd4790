package store

import (
	"encoding/binary"
	"hash/crc32"
)

// crcSize is the size of the checksum before a sealed value.
const crcSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(parts ...[]byte) uint32 {
	var sum uint32
	for _, p := range parts {
		sum = crc32.Update(sum, castagnoli, p)
	}
	return sum
}

// appendSealed appends the stored form of value: a CRC32C of key and value, then the value. The key is included to detect a value under
// another key.
func appendSealed(dst, key, value []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, checksum(key, value))
	return append(dst, value...)
}

// unseal returns the value of a stored form, or false if the checksum does not match.
func unseal(key, stored []byte) ([]byte, bool) {
	if len(stored) < crcSize {
		return nil, false
	}
	value := stored[crcSize:]
	return value, sealOf(stored) == checksum(key, value)
}

// sealOf returns the CRC of a stored form of at least crcSize bytes.
func sealOf(stored []byte) uint32 { return binary.BigEndian.Uint32(stored) }
