// Hashes: fast ones for tables and ids, SHA-256 for content that must be named by it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace driftd {

// 64-bit hash for ids, fingerprints and partitioning: FNV-1a with a murmur3 finalizer, the same on
// every machine and version (ids are stored). Not for hostile input where collisions matter.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

// CRC-32C (Castagnoli, RFC 3720): detects torn and flipped bytes in journals and checkpoints.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

// Lower-case hex: 16 characters of a 64-bit value; 64 characters of the SHA-256 of bytes.
std::string hex64(std::uint64_t value);
std::string sha256_hex(std::string_view bytes);

// The same of a file's bytes, however many. Error{kIo}: it cannot be read.
Result<std::string> sha256_of_file(const std::string& path);

}  // namespace driftd
