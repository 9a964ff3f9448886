#include "core/record_mark.h"

#include "core/hash.h"

namespace driftd {
namespace {

constexpr std::size_t kFields = 4 * sizeof(std::int64_t);

}  // namespace

RecordMark mark_of(const RawRecord& record) {
  return {record.position, record.arrival, hash64(record.payload, hash64(record.key)), hash_of_topic(record.topic)};
}

std::uint64_t hash_of_topic(std::string_view name) { return hash64(name); }

void append_mark(ByteWriter& state, const RecordMark& mark) {
  ByteWriter out;
  out.i64(mark.position);
  out.i64(mark.arrival);
  out.u64(mark.hash);
  out.u64(mark.topic);
  out.u32(crc32c(out.bytes()));  // what a state of an older driftd ends with is no mark
  state.raw(out.bytes().data(), out.size());
}

std::optional<RecordMark> mark_at_end(std::string_view state) {
  constexpr std::size_t kSize = kFields + sizeof(std::uint32_t);
  if (state.size() < kSize) return std::nullopt;
  state.remove_prefix(state.size() - kSize);
  ByteReader in(state);
  RecordMark mark;
  mark.position = in.i64();
  mark.arrival = in.i64();
  mark.hash = in.u64();
  mark.topic = in.u64();
  if (in.u32() != crc32c(state.substr(0, kFields))) return std::nullopt;
  return mark;
}

}  // namespace driftd
