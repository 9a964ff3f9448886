#include "ingest/journal_cursor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace driftd::ingest {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;

Error io_error(const std::string& what, const std::string& path) {
  return {ErrorCode::kIo, "journal: " + what + " " + path + ": " + std::strerror(errno)};
}

}  // namespace

JournalCursor::JournalCursor(const Journal& journal, std::int64_t from)
    : journal_(journal), next_(std::max(from, journal.begin())), want_(kChunk) {}

Result<bool> JournalCursor::next(Chunk& out) {
  out.bytes = std::make_shared<std::string>();
  out.entries.clear();
  out.gaps.clear();
  while (out.entries.empty()) {
    const Journal::Extent extent = journal_.extent(next_);
    if (extent.first != segment_) {
      if (const Status s = open_segment(extent); !s) return s.error();
    }
    if (offset_ >= extent.bytes) {  // whatever is missing here was damaged
      skip_to(extent.next, out);
      order_ = {extent.next, 0};
      if (extent.last) return !out.gaps.empty();
      continue;
    }
    if (const Status s = read(extent, *out.bytes); !s) return s.error();
    parse(extent, out);
  }
  return true;
}

Status JournalCursor::open_segment(const Journal::Extent& extent) {
  close_segment();
  file_ = ::open(extent.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) return io_error("opening", extent.path);
  segment_ = extent.first;
  offset_ = kSegmentHeaderBytes;
  order_ = {extent.first, 0};
  return {};
}

void JournalCursor::close_segment() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

Status JournalCursor::read(const Journal::Extent& extent, std::string& bytes) {
  bytes.resize(std::min<std::uint64_t>(want_, extent.bytes - offset_));
  for (std::size_t got = 0; got < bytes.size();) {
    const ssize_t n = ::pread(file_, bytes.data() + got, bytes.size() - got, static_cast<off_t>(offset_ + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("reading", extent.path);
    if (n == 0) {
      return Error{ErrorCode::kCorrupt, "journal: " + extent.path +
                                            " is shorter than what was written; has somebody else "
                                            "changed it?"};
    }
    got += static_cast<std::size_t>(n);
  }
  return {};
}

void JournalCursor::skip_to(std::int64_t sequence, Chunk& out) {
  if (sequence == next_) return;
  if (!out.gaps.empty() && out.gaps.back().next == next_) {
    out.gaps.back().next = sequence;
  } else {
    out.gaps.push_back({next_, sequence});
  }
  next_ = sequence;
}

void JournalCursor::parse(const Journal::Extent& extent, Chunk& out) {
  const std::string_view bytes = *out.bytes;
  const bool is_rest = offset_ + bytes.size() == extent.bytes;
  std::size_t at = 0;
  std::size_t want = kChunk;
  while (at < bytes.size()) {
    const FrameRead frame = read_frame(bytes.substr(at));
    if (frame.kind == FrameRead::Kind::kShort && !is_rest) {
      want = std::max(want, frame.size);
      break;
    }
    if (frame.kind != FrameRead::Kind::kGood || !order_.allows(frame.entry.sequence)) {
      if (!is_rest) {  // a good frame behind the damage may be longer than a chunk
        want = extent.bytes - offset_ - at;
        break;
      }
      const std::size_t next = find_frame(bytes, at, order_).value_or(bytes.size());
      order_.damaged += next - at;
      at = next;
      break;  // `bytes` may be all of a segment: not all of its records at once
    }
    at += frame.size;
    order_ = {frame.entry.sequence + 1, 0};
    if (frame.entry.sequence < next_) continue;  // before where we start
    skip_to(frame.entry.sequence, out);
    next_ = frame.entry.sequence + 1;
    out.entries.push_back(frame.entry);
  }
  offset_ += at;
  want_ = want;
}

}  // namespace driftd::ingest
