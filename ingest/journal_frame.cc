#include "ingest/journal_frame.h"

#include <array>
#include <cstring>

#include "core/bytes.h"
#include "core/hash.h"

namespace driftd::ingest {
namespace {

constexpr std::string_view kMagic = "dJrnl001";
constexpr std::size_t kPrefix = 8;  // size and CRC
constexpr std::size_t kFixed = kFrameOverhead - kPrefix;

}  // namespace

std::string encode_header(const SegmentHeader& header) {
  ByteWriter out;
  out.raw(kMagic.data(), kMagic.size());
  out.u32(header.partitions);
  out.i64(header.first_sequence);
  const std::uint32_t crc = crc32c(out.bytes());
  out.u32(crc);
  return out.take();
}

std::optional<SegmentHeader> decode_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes || bytes.substr(0, kMagic.size()) != kMagic) return {};
  ByteReader in(bytes.substr(kMagic.size(), kSegmentHeaderBytes - kMagic.size()));
  SegmentHeader header;
  header.partitions = in.u32();
  header.first_sequence = in.i64();
  const bool good = in.u32() == crc32c(bytes.substr(0, kSegmentHeaderBytes - 4)) && header.partitions > 0 && header.first_sequence >= 0;
  return good ? std::optional(header) : std::nullopt;
}

void append_frame(std::string& out, const JournalEntry& entry) {
  const auto topic_size = static_cast<std::uint32_t>(entry.topic.size());
  std::array<char, kFixed> fixed;
  std::size_t at = 0;
  const auto put = [&](const auto& v) {
    std::memcpy(fixed.data() + at, &v, sizeof v);
    at += sizeof v;
  };
  put(entry.sequence);
  put(entry.arrival);
  put(entry.partition);
  put(entry.packet_id);
  put(topic_size);
  std::uint32_t crc = crc32c({fixed.data(), fixed.size()});
  crc = crc32c(entry.topic, crc);
  crc = crc32c(entry.payload, crc);
  const auto size = static_cast<std::uint32_t>(kFixed + topic_size + entry.payload.size());
  const std::array<std::uint32_t, 2> prefix = {size, crc};
  out.append(reinterpret_cast<const char*>(prefix.data()), sizeof prefix);
  out.append(fixed.data(), fixed.size());
  out += entry.topic;
  out += entry.payload;
}

FrameRead read_frame(std::string_view bytes) {
  using Kind = FrameRead::Kind;
  FrameRead out;
  if (bytes.size() < kPrefix) return {Kind::kShort, kPrefix, {}};
  ByteReader prefix(bytes.substr(0, kPrefix));
  const std::size_t size = prefix.u32();
  const std::uint32_t crc = prefix.u32();
  if (size < kFixed || size > kMaxFrameBytes) return out;
  out.size = kPrefix + size;
  if (bytes.size() < out.size) return {Kind::kShort, out.size, {}};
  const std::string_view body = bytes.substr(kPrefix, size);
  if (crc32c(body) != crc) return out;
  ByteReader in(body.substr(0, kFixed));
  out.entry.sequence = in.i64();
  out.entry.arrival = in.i64();
  out.entry.partition = in.u32();
  out.entry.packet_id = in.u32();
  const std::size_t topic = in.u32();
  if (topic > size - kFixed || out.entry.sequence < 0) return out;
  out.entry.topic = body.substr(kFixed, topic);
  out.entry.payload = body.substr(kFixed + topic);
  out.kind = Kind::kGood;
  return out;
}

std::optional<std::size_t> find_frame(std::string_view bytes, std::size_t from, FrameOrder order) {
  const std::size_t claimed = read_frame(bytes.substr(from)).size;
  if (claimed >= kFrameOverhead && from + claimed <= bytes.size()) {
    const FrameRead read = read_frame(bytes.substr(from + claimed));
    if (read.kind == FrameRead::Kind::kGood && read.entry.sequence == order.expected + 1) return from + claimed;
  }
  for (std::size_t at = from + 1; at + kFrameOverhead <= bytes.size(); ++at) {
    const FrameOrder here = {order.expected, order.damaged + at - from};
    // Before the checksum, which may go over many bytes: nearly nothing has the right number.
    if (!here.allows(ByteReader(bytes.substr(at + kPrefix, sizeof(std::int64_t))).i64())) continue;
    if (read_frame(bytes.substr(at)).kind == FrameRead::Kind::kGood) return at;
  }
  return std::nullopt;
}

}  // namespace driftd::ingest
