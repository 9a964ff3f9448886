#include "ingest/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/files.h"
#include "core/log.h"

namespace driftd::ingest {
namespace {

constexpr std::string_view kSuffix = ".journal";
constexpr std::size_t kNameDigits = 20;

Error io_error(const std::string& what, const std::string& path) {
  return {ErrorCode::kIo, "journal: " + what + " " + path + ": " + std::strerror(errno)};
}

Status write_all(int fd, std::string_view bytes, std::uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("writing", path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

std::optional<std::int64_t> sequence_of(const std::string& name) {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return {};
  std::int64_t v = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kNameDigits, v);
  if (error != std::errc() || end != name.data() + kNameDigits) return {};
  return v;
}

Result<std::string> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes, chunk(1U << 16, '\0');
  while (file) {  // an istreambuf_iterator would throw where the disk cannot be read
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    bytes.append(chunk, 0, static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad() || !file.eof()) return io_error("reading", path);
  return bytes;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const JournalOptions& options) {
  if (const Status s = make_folder(options.folder); !s) return s.error().at("journal");
  std::unique_ptr<Journal> journal(new Journal(options));
  if (const Status s = journal->recover(); !s) return s.error();
  return journal;
}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

std::string Journal::path_of(std::int64_t first) const {
  std::string digits = std::to_string(first);
  digits.insert(0, kNameDigits - digits.size(), '0');
  return options_.folder + "/" + digits + std::string(kSuffix);
}

Status Journal::recover() {
  std::error_code code;
  const std::filesystem::directory_iterator end;
  for (std::filesystem::directory_iterator at(options_.folder, code); !code && at != end; at.increment(code)) {
    if (const auto first = sequence_of(at->path().filename())) segments_.push_back({*first, at->file_size(code)});
  }
  if (code) return Error{ErrorCode::kIo, "journal: listing " + options_.folder + ": " + code.message()};
  std::sort(segments_.begin(), segments_.end(), [](const Segment& a, const Segment& b) { return a.first < b.first; });
  // A crash while a segment was begun leaves one without a header, and nothing in it.
  while (!segments_.empty() && segments_.back().bytes < kSegmentHeaderBytes) {
    const std::int64_t first = segments_.back().first;
    if (::unlink(path_of(first).c_str()) != 0) return io_error("deleting", path_of(first));
    segments_.pop_back();
    if (segments_.empty()) return begin_segment(first);
  }
  if (segments_.empty()) return begin_segment(0);
  for (const Segment& segment : segments_) bytes_ += segment.bytes;
  return recover_last(segments_.back());
}

Status Journal::recover_last(Segment& segment) {
  const std::string path = path_of(segment.first);
  auto read = contents(path);
  if (!read) return read.error();
  const std::string& bytes = *read;
  if (const Status good = check_header(segment, bytes); !good) return good;
  std::size_t at = kSegmentHeaderBytes;
  end_ = segment.first;
  FrameOrder order = {end_, 0};
  while (at < bytes.size()) {
    const FrameRead frame = read_frame(std::string_view(bytes).substr(at));
    if (frame.kind == FrameRead::Kind::kGood && order.allows(frame.entry.sequence)) {
      end_ = frame.entry.sequence + 1;
      order = {end_, 0};
      at += frame.size;
      continue;
    }
    const auto next = find_frame(bytes, at, order);
    if (!next) break;
    order.damaged += *next - at;
    at = *next;  // damaged in the middle: the cursor will say so
  }
  if (at < bytes.size()) {
    log::info("journal: cut off a write that a crash left unfinished", {{"file", path}, {"bytes", std::to_string(bytes.size() - at)}});
  }
  file_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file_ < 0) return io_error("opening", path);
  if (::ftruncate(file_, static_cast<off_t>(at)) != 0) return io_error("cutting", path);
  if (mended_) {
    if (const Status s = write_all(file_, encode_header({options_.partitions, segment.first}), 0, path); !s) return s;
  }
  if (::fdatasync(file_) != 0) return io_error("syncing", path);
  bytes_ -= segment.bytes - at;
  segment.bytes = at;
  return {};
}

// A header says nothing that the segment's name and its neighbours do not, so damage to it costs no record.
Status Journal::check_header(const Segment& segment, std::string_view bytes) {
  const std::string path = path_of(segment.first);
  const auto header = decode_header(bytes);
  if (header && header->first_sequence != segment.first) {
    return Error{ErrorCode::kCorrupt, "journal: " + path + " has the records from " + std::to_string(header->first_sequence) +
                                          " on; give it back its name, " + path_of(header->first_sequence)};
  }
  const std::uint32_t partitions = header ? header->partitions : partitions_of_others();
  if (partitions != options_.partitions) {
    return Error{ErrorCode::kInvalidArgument, "journal: " + options_.folder + " was made with partitions: " + std::to_string(partitions) +
                                                  ", and that cannot change to " + std::to_string(options_.partitions)};
  }
  mended_ = !header;
  if (mended_)
    log::error("journal: the header of a segment is damaged; it is written anew, and what is behind it read on", {{"file", path}});
  return {};
}

// As the newest good header of the segments before the last says, else as configured.
std::uint32_t Journal::partitions_of_others() const {
  for (auto it = std::next(segments_.rbegin()); it != segments_.rend(); ++it) {
    std::string bytes(kSegmentHeaderBytes, '\0');
    std::ifstream file(path_of(it->first), std::ios::binary);
    if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) continue;
    if (const auto header = decode_header(bytes)) return header->partitions;
  }
  return options_.partitions;
}

Status Journal::begin_segment(std::int64_t first) {
  if (const Status s = cut_refused(); !s) return s;
  const std::string path = path_of(first);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return io_error("making", path);
  const std::string header = encode_header({options_.partitions, first});
  Status made = write_all(fd, header, 0, path);
  if (made && ::fdatasync(fd) != 0) made = io_error("syncing", path);
  if (const Status s = made ? sync_folder(options_.folder) : Status(); !s) made = s.error().at("journal");
  if (!made) {
    ::close(fd);
    ::unlink(path.c_str());
    return made;
  }
  if (file_ >= 0) ::close(file_);
  file_ = fd;
  const std::scoped_lock lock(mutex_);
  segments_.push_back({first, header.size()});
  bytes_ += header.size();
  end_ = first;
  return {};
}

Status Journal::begin_at(std::int64_t sequence) {
  if (sequence <= end_) return {};
  const bool has_none = begin() == end_;
  if (const Status s = begin_segment(sequence); !s) return s;
  if (has_none) release(sequence);
  return {};
}

Status Journal::append(std::vector<JournalEntry>& entries) {
  if (entries.empty()) return {};
  std::uint64_t size = 0;
  for (const JournalEntry& e : entries) size += frame_size(e);
  std::unique_lock lock(mutex_);
  const auto room = find_room(lock, size);
  if (!room) return room.error();
  promised_ += *room;
  if (waiting_ == nullptr) waiting_ = std::make_shared<Group>();
  const std::shared_ptr<Group> group = waiting_;
  group->members.push_back(&entries);
  group->bytes += *room;
  while (!group->done) {
    if (writing_) {
      changed_.wait(lock);
      continue;
    }
    // Nobody writes, so ours is the group that waits, and we write it for all its members.
    writing_ = true;
    waiting_ = nullptr;
    lock.unlock();
    Status outcome = write_group(*group);
    lock.lock();
    writing_ = false;
    promised_ -= group->bytes;
    group->done = true;
    group->outcome = std::move(outcome);
    changed_.notify_all();
  }
  return group->outcome;
}

Status Journal::make_room(std::uint64_t size) {
  std::unique_lock lock(mutex_);
  const auto room = find_room(lock, size);
  return room ? Status() : Status(room.error());
}

// The bytes that frames of `size` take at most, once they fit. The lock is given away while the disk works.
Result<std::uint64_t> Journal::find_room(std::unique_lock<std::mutex>& lock, std::uint64_t size) {
  if (kSegmentHeaderBytes + size > options_.cap) {
    return Error{ErrorCode::kInvalidArgument, "journal: " + std::to_string(size) + " bytes at once are more than it ever holds, " +
                                                  std::to_string(options_.cap) + " (service.limits.journal)"};
  }
  while (true) {
    const std::uint64_t before = bytes_ + promised_;
    const std::uint64_t needed = size + (segments_.back().bytes + promised_ >= options_.segment ? kSegmentHeaderBytes : 0);
    if (before + needed <= options_.cap) return needed;
    const std::int64_t oldest = segments_.front().first;
    if (segments_.size() > 1 && segments_[1].first <= needless_) {
      bytes_ -= segments_.front().bytes;
      segments_.pop_front();
      lock.unlock();
      delete_segment(oldest);
      lock.lock();
      continue;
    }
    const bool is_needless = segments_.size() == 1 && oldest < end_ && end_ <= needless_;
    if (!is_needless || writing_ || waiting_ != nullptr) {
      return Error{ErrorCode::kExhausted, "journal: full: " + std::to_string(size) + " bytes more than " + std::to_string(before) +
                                              " are over " + std::to_string(options_.cap) + " (service.limits.journal)"};
    }
    writing_ = true;
    lock.unlock();
    const Status begun = begin_segment(end_);
    lock.lock();
    writing_ = false;
    changed_.notify_all();
    if (!begun) return begun.error();
  }
}

// What was refused must be behind no record that is not.
Status Journal::cut_refused() {
  if (!must_cut_) return {};
  if (::ftruncate(file_, static_cast<off_t>(segments_.back().bytes)) != 0) return io_error("cutting", path_of(segments_.back().first));
  must_cut_ = false;
  return {};
}

// Runs in one thread at a time; the lock is held only where readers look.
Status Journal::write_group(Group& group) {
  if (segments_.back().bytes >= options_.segment) {
    if (const Status s = begin_segment(end_); !s) return s;
  }
  if (const Status s = cut_refused(); !s) return s;
  const Segment last = segments_.back();
  const std::string path = path_of(last.first);
  std::string bytes;
  bytes.reserve(group.bytes);
  std::int64_t sequence = end_;
  for (std::vector<JournalEntry>* entries : group.members) {
    for (JournalEntry& entry : *entries) {
      entry.sequence = sequence++;
      append_frame(bytes, entry);
    }
  }
  Status written = write_all(file_, bytes, last.bytes, path);
  if (written && ::fdatasync(file_) != 0) written = io_error("syncing", path);
  if (!written) {
    must_cut_ = true;
    // Where it cannot be cut off now, it may at least not be found by the next start, should driftd be killed before it can.
    if (!cut_refused()) (void)write_all(file_, std::string(bytes.size(), '\0'), last.bytes, path);
    return written;
  }
  const std::scoped_lock lock(mutex_);
  segments_.back().bytes += bytes.size();
  bytes_ += bytes.size();
  end_ = sequence;
  return {};
}

void Journal::wait(std::int64_t sequence, Deadline deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::nanoseconds(deadline.left()), [&] { return end_ > sequence; });
}

std::int64_t Journal::end() const {
  const std::scoped_lock lock(mutex_);
  return end_;
}

std::int64_t Journal::begin() const {
  const std::scoped_lock lock(mutex_);
  return segments_.front().first;
}

std::uint64_t Journal::bytes() const {
  const std::scoped_lock lock(mutex_);
  return bytes_;
}

Status Journal::probe() const {
  const std::string path = options_.folder + "/probe";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return io_error("making", path);
  Status done = write_all(fd, std::string(4096, 'x'), 0, path);
  if (done && ::fdatasync(fd) != 0) done = io_error("syncing", path);
  ::close(fd);
  ::unlink(path.c_str());
  return done;
}

void Journal::release(std::int64_t sequence, std::int64_t keep) {
  std::vector<std::int64_t> gone;
  {
    const std::scoped_lock lock(mutex_);
    needless_ = sequence;
    while (segments_.size() > 1 && segments_[1].first <= std::min(sequence, keep)) {
      gone.push_back(segments_.front().first);
      bytes_ -= segments_.front().bytes;
      segments_.pop_front();
    }
  }
  for (const std::int64_t first : gone) delete_segment(first);
}

void Journal::delete_segment(std::int64_t first) const {
  if (::unlink(path_of(first).c_str()) != 0) {
    log::warning("journal: a segment could not be deleted", {{"file", path_of(first)}, {"why", std::strerror(errno)}});
  }
}

Journal::Extent Journal::extent(std::int64_t sequence) const {
  const std::scoped_lock lock(mutex_);
  auto it = std::upper_bound(segments_.begin(), segments_.end(), sequence, [](std::int64_t s, const Segment& g) { return s < g.first; });
  if (it != segments_.begin()) --it;
  Extent out;
  out.first = it->first;
  out.bytes = it->bytes;
  out.path = path_of(it->first);
  out.last = std::next(it) == segments_.end();
  out.next = out.last ? end_ : std::next(it)->first;
  return out;
}

}  // namespace driftd::ingest
