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
constexpr std::uint32_t kBehind = 1U << 31;  // in the topic's length, which is below kMaxFrameBytes: `behind` stands before the topic

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

std::size_t frame_size(const JournalEntry& entry) {
  return (entry.behind.most > 0 ? kMostFrameOverhead : kFrameOverhead) + entry.topic.size() + entry.payload.size();
}

void append_frame(std::string& out, const JournalEntry& entry) {
  std::array<char, kMostFrameOverhead - kPrefix> fixed;
  std::size_t at = 0;
  const auto put = [&](const auto& v) {
    std::memcpy(fixed.data() + at, &v, sizeof v);
    at += sizeof v;
  };
  put(entry.sequence);
  put(entry.arrival);
  put(entry.partition);
  put(entry.packet_id);
  put(static_cast<std::uint32_t>(entry.topic.size()) | (entry.behind.most > 0 ? kBehind : 0));
  if (entry.behind.most > 0) {
    put(entry.behind.least);
    put(entry.behind.most);
  }
  std::uint32_t crc = crc32c({fixed.data(), at});
  crc = crc32c(entry.topic, crc);
  crc = crc32c(entry.payload, crc);
  const auto size = static_cast<std::uint32_t>(frame_size(entry) - kPrefix);
  const std::array<std::uint32_t, 2> prefix = {size, crc};
  out.append(reinterpret_cast<const char*>(prefix.data()), sizeof prefix);
  out.append(fixed.data(), at);
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
  ByteReader in(body);
  out.entry.sequence = in.i64();
  out.entry.arrival = in.i64();
  out.entry.partition = in.u32();
  out.entry.packet_id = in.u32();
  const std::uint32_t flagged = in.u32();
  const std::size_t topic = flagged & ~kBehind;
  if ((flagged & kBehind) != 0) {
    out.entry.behind.least = in.i64();
    out.entry.behind.most = in.i64();
  }
  const std::string_view rest = body.substr(size - in.left());
  if (in.failed() || topic > rest.size() || out.entry.sequence < 0 || out.entry.behind.least < 0 || out.entry.behind.most < 0) return out;
  out.entry.topic = rest.substr(0, topic);
  out.entry.payload = rest.substr(topic);
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
