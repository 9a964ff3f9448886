#include "ingest/quarantine_reader.h"

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "core/hash.h"
#include "ingest/quarantine.h"

namespace driftd::ingest {
namespace {

using Json = nlohmann::json;

// Writers never make longer lines: payload_cap in base64, and every text of it escaped.
constexpr std::size_t kMaxLine = 1U << 24;

template <class T>
bool take(const Json& line, const char* name, T& out) {
  const auto it = line.find(name);
  if (it == line.end()) return false;
  if constexpr (std::is_same_v<T, std::string>) {
    if (!it->is_string()) return false;
    out = it->template get_ref<const std::string&>();
  } else {
    if (!it->is_number_integer()) return false;
    if (std::is_unsigned_v<T> && !it->is_number_unsigned()) return false;
    const auto wide = it->template get<std::conditional_t<std::is_unsigned_v<T>, std::uint64_t, std::int64_t>>();
    if (wide > std::numeric_limits<T>::max()) return false;
    out = static_cast<T>(wide);
  }
  return true;
}

// The next line without its end; false at the end of the file. One that is longer than kMaxLine comes
// cut off, and no record.
bool next_line(std::ifstream& file, std::string& line) {
  line.clear();
  for (int c = file.get(); c != std::ifstream::traits_type::eof(); c = file.get()) {
    if (c == '\n') return true;
    if (line.size() < kMaxLine) line += static_cast<char>(c);
  }
  return !line.empty();
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  static constexpr auto kValues = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
    return values;
  }();
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const std::size_t pads = i + 4 == text.size() ? padding : 0;
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::int8_t value = k >= 4 - pads ? std::int8_t{0} : kValues[static_cast<unsigned char>(text[i + k])];
      if (value < 0) return std::nullopt;
      bits = bits << 6 | static_cast<std::uint32_t>(value);
    }
    for (std::size_t k = 0; k + pads < 3; ++k) out += static_cast<char>(bits >> (16 - 8 * k));
  }
  return out;
}

std::optional<QuarantinedRecord> parse_quarantined(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  QuarantinedRecord record;
  std::string time, encoded;
  if (!take(json, "time", time) || !take(json, "reason", record.reason) || !take(json, "partition", record.partition) ||
      !take(json, "position", record.position)) {
    return std::nullopt;
  }
  const auto parsed = parse_time(time);
  if (!parsed) return std::nullopt;
  record.time = *parsed;
  if (take(json, "arrival", time)) record.arrival = parse_time(time).value_or(kNoTime);
  for (const auto& [name, text] : {std::pair("stream", &record.stream), std::pair("detail", &record.detail),
                                   std::pair("topic", &record.topic), std::pair("key", &record.key)}) {
    take(json, name, *text);
  }
  if (take(json, "key_base64", encoded)) {
    auto bytes = decode_base64(encoded);
    if (!bytes) return std::nullopt;
    record.key = *std::move(bytes);
    record.whole_key = !json.contains("key_size");
  }
  if (take(json, "payload_base64", encoded)) {
    auto bytes = decode_base64(encoded);
    if (!bytes) return std::nullopt;
    record.payload = *std::move(bytes);
    record.text = false;
  } else if (!take(json, "payload", record.payload)) {
    return std::nullopt;
  }
  record.size = record.payload.size();
  std::uint64_t size = 0;
  if (take(json, "size", size) && size > record.size) record.size = size;
  return record;
}

std::uint64_t QuarantinedRecord::identity() const {
  std::string of;
  for (const std::int64_t number : {std::int64_t{partition}, position, arrival, static_cast<std::int64_t>(size)}) {
    of += std::to_string(number) + ' ';
  }
  of.append(topic).append(1, '\0').append(payload);
  return std::stoull(sha256_hex(of).substr(0, 16), nullptr, 16);
}

Result<QuarantineTotals> read_quarantine(const std::string& folder, const std::function<void(QuarantinedRecord)>& sink) {
  QuarantineTotals totals;
  const auto segments = Quarantine::segments(folder);
  if (!segments) return segments.error();
  std::string line;
  std::unordered_set<std::uint64_t> seen;
  for (const std::string& path : *segments) {
    std::ifstream file(path, std::ios::binary);
    // A segment may have been deleted for room since it was listed.
    while (next_line(file, line)) {
      totals.bytes += line.size() + 1;
      auto record = parse_quarantined(line);
      if (!record) {
        ++totals.damaged;
      } else if (!seen.insert(record->identity()).second) {
        ++totals.again;
      } else {
        sink(*std::move(record));
      }
    }
  }
  return totals;
}

}  // namespace driftd::ingest
