#include "ingest/group_metadata.h"

#include <array>
#include <charconv>

#include "core/hash.h"

namespace driftd::ingest {
namespace {

constexpr std::size_t kDigits = 16;

}  // namespace

std::string GroupMetadata::text() const {
  if (!mark) return by;
  return by + " " + hex64(static_cast<std::uint64_t>(mark->position)) + hex64(static_cast<std::uint64_t>(mark->arrival)) +
         hex64(mark->hash) + hex64(mark->topic);
}

GroupMetadata GroupMetadata::read(std::string_view text) {
  std::array<std::uint64_t, 4> fields{};
  const std::size_t size = fields.size() * kDigits;
  if (text.size() <= size || text[text.size() - size - 1] != ' ') return {std::string(text), std::nullopt};
  const char* at = text.data() + text.size() - size;
  for (std::uint64_t& field : fields) {
    const auto [end, error] = std::from_chars(at, at + kDigits, field, 16);
    if (error != std::errc() || end != at + kDigits) return {std::string(text), std::nullopt};
    at = end;
  }
  text.remove_suffix(size + 1);
  return {std::string(text), RecordMark{static_cast<std::int64_t>(fields[0]), static_cast<std::int64_t>(fields[1]), fields[2], fields[3]}};
}

}  // namespace driftd::ingest
