// ByteWriter and ByteReader: the one encoding of everything driftd keeps (checkpoints, references,
// journals). Little-endian, fixed width, lengths as u32; doubles as their IEEE-754 bits, so what is
// read back is the same to the last bit.
//
// A ByteReader never trusts its input: reading past the end, or a length above the caller's cap,
// sets failed() and returns zero values from then on; callers check failed() once at the end.
// Thread-safety: none. Cost: amortized O(1) a value; the reader never allocates but for strings.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/result.h"

namespace driftd {

static_assert(std::endian::native == std::endian::little, "the stored encoding is little-endian");

class ByteWriter {
 public:
  void u8(std::uint8_t v) { raw(&v, sizeof v); }
  void u32(std::uint32_t v) { raw(&v, sizeof v); }
  void u64(std::uint64_t v) { raw(&v, sizeof v); }
  void i64(std::int64_t v) { raw(&v, sizeof v); }
  void f64(double v) { raw(&v, sizeof v); }
  void boolean(bool v) { u8(v ? 1 : 0); }
  void str(std::string_view s) {
    u32(static_cast<std::uint32_t>(s.size()));
    raw(s.data(), s.size());
  }
  void raw(const void* data, std::size_t size) { bytes_.append(static_cast<const char*>(data), size); }

  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }
  std::size_t size() const { return bytes_.size(); }
  void clear() { bytes_.clear(); }
  void reserve(std::size_t size) { bytes_.reserve(size); }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  static constexpr std::int64_t kFarthestTime = 8'000'000'000'000'000'000;
  static constexpr std::int64_t kOldestTime = -1'000'000'000'000'000'000;

  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint8_t u8() { return get<std::uint8_t>(); }
  std::uint32_t u32() { return get<std::uint32_t>(); }
  std::uint64_t u64() { return get<std::uint64_t>(); }
  std::int64_t i64() { return get<std::int64_t>(); }
  double f64() { return get<double>(); }
  bool boolean() {
    const std::uint8_t v = u8();
    if (v > 1) fail();
    return v == 1;
  }

  // A point in time in nanoseconds (core/time.h), or kNoTime. Refuses those before 1938 and after 2223:
  // nobody writes them, and taking one from another, or adding a length of time, may overflow.
  std::int64_t time() {
    const std::int64_t t = i64();
    if (t != INT64_MIN && (t > kFarthestTime || t < kOldestTime)) return fail(), INT64_MIN;
    return t;
  }

  // A string of at most `cap` bytes.
  std::string str(std::uint32_t cap = 1U << 20) { return std::string(view(cap)); }
  std::string_view view(std::uint32_t cap = 1U << 20) {
    const std::uint32_t size = u32();
    if (size > cap || size > left()) return fail(), std::string_view();
    const std::string_view s = bytes_.substr(at_, size);
    at_ += size;
    return s;
  }

  // A count of elements that take at least `min_bytes` each; refuses counts that cannot fit in what
  // is left, so that a damaged length never makes a caller reserve memory for it.
  std::uint32_t count(std::uint32_t cap, std::size_t min_bytes = 1) {
    const std::uint32_t n = u32();
    if (n > cap || (min_bytes != 0 && n > left() / min_bytes)) return fail(), 0;
    return n;
  }

  std::size_t left() const { return bytes_.size() - at_; }
  bool failed() const { return failed_; }
  void fail() {
    failed_ = true;
    at_ = bytes_.size();
  }

  // Ok when everything was read and nothing is left over; `what` names the thing in the message.
  Status done(const std::string& what) const {
    if (failed_) return Error{ErrorCode::kCorrupt, what + ": truncated or out of bounds"};
    if (left() != 0) return Error{ErrorCode::kCorrupt, what + ": bytes left over at the end"};
    return {};
  }

 private:
  template <class T>
  T get() {
    T v{};
    if (left() < sizeof(T)) return fail(), v;
    std::memcpy(&v, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return v;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace driftd
