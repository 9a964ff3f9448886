#include "ingest/quarantine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <simdjson.h>

#include "core/files.h"
#include "core/text.h"

namespace driftd::ingest {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFlushBytes = 1U << 20;
constexpr std::size_t kKeyBytes = 256;
constexpr std::size_t kWholeKeyBytes = 4096;
constexpr std::string_view kPrefix = "quarantine-";
constexpr std::string_view kSuffix = ".jsonl";

void append_base64(std::string& out, std::string_view bytes) {  // RFC 4648 section 4
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t v = 0;
    for (std::size_t k = 0; k < 3; ++k) v = v << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? kAlphabet[(v >> (18 - 6 * k)) & 63] : '=';
  }
}

// At most `cap` bytes, not ending inside a UTF-8 sequence.
std::string_view beginning(std::string_view bytes, std::size_t cap) {
  if (bytes.size() <= cap) return bytes;
  std::size_t end = cap;
  while (end > 0 && cap - end < 3 && (static_cast<unsigned char>(bytes[end]) & 0xC0U) == 0x80U) --end;
  return bytes.substr(0, end);
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out.append(",\"").append(name).append("\":");
  append_json_string(out, text);
}

// For people as text; what that is not all of is there as bytes too, as the key says where a record that is sent again goes.
void append_key(std::string& out, std::string_view key) {
  const std::string text = excerpt(key, kKeyBytes);
  append_member(out, "key", text);
  if (text == key) return;
  out += ",\"key_base64\":\"";
  append_base64(out, key.substr(0, kWholeKeyBytes));
  out += '"';
  if (key.size() > kWholeKeyBytes) out += ",\"key_size\":" + std::to_string(key.size());
}

void append_payload(std::string& out, std::string_view payload, std::size_t cap) {
  const std::string_view kept = beginning(payload, cap);
  if (simdjson::validate_utf8(kept)) {
    out += ",\"payload\":";
    append_json_string(out, kept);
  } else {
    out += ",\"payload_base64\":\"";
    append_base64(out, kept);
    out += '"';
  }
  if (kept.size() < payload.size()) out += ",\"truncated\":true,\"size\":" + std::to_string(payload.size());
}

// Number of a segment's file name; nullopt for other files.
std::optional<std::uint64_t> number_of(const std::string& name) {
  if (!std::string_view(name).starts_with(kPrefix) || !std::string_view(name).ends_with(kSuffix)) return std::nullopt;
  const auto digits = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  const auto v = parse_integer(digits);
  return v && *v >= 0 ? std::optional<std::uint64_t>(static_cast<std::uint64_t>(*v)) : std::nullopt;
}

// Segments of a folder in their order, with their sizes.
std::vector<std::pair<std::uint64_t, std::uint64_t>> segments_in(const std::string& folder, std::error_code& error) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto number = number_of(it->path().filename().string());
    std::error_code ignored;
    const auto size = it->file_size(ignored);
    if (number && !ignored) out.emplace_back(*number, size);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string segment_path(const std::string& folder, std::uint64_t number) {
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "%012llu", static_cast<unsigned long long>(number));
  return folder + "/" + std::string(kPrefix) + digits.data() + std::string(kSuffix);
}

// What a crash left may end amid one.
bool ends_in_line(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char last = 0;
  const bool read = ::lseek(file, -1, SEEK_END) >= 0 && ::read(file, &last, 1) == 1;
  ::close(file);
  return read && last == '\n';
}

}  // namespace

Quarantine::Quarantine(QuarantineOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {
  std::error_code error;
  const Status made = make_folder(options_.folder);
  if (!made) trouble_ = "quarantine: " + made.error().message;
  if (made) {
    for (const auto& [number, size] : segments_in(options_.folder, error)) {
      segments_.push_back({number, size});
      bytes_ += size;
    }
  }
  if (error) trouble_ = "quarantine folder '" + options_.folder + "': " + error.message();
  if (segments_.empty()) segments_.push_back({1, 0});
  torn_ = segments_.back().bytes > 0 && !ends_in_line(path_of(segments_.back().number));
  make_room(0);
}

std::string Quarantine::path_of(std::uint64_t number) const { return segment_path(options_.folder, number); }

void Quarantine::add_failed(std::uint32_t partition, const RawRecord& record, const GateMark& why) {
  std::string detail = why.check;
  if (!why.field.empty()) detail += " of " + why.field;
  if (!why.reason.empty()) detail += ": " + why.reason;
  if (!why.detail.empty()) detail += " (" + why.detail + ")";
  if (!why.checks.empty()) detail += "; failed: " + why.checks;
  add(partition, record, kFailedReason, detail);
}

void Quarantine::add(std::uint32_t partition, const RawRecord& record, std::string_view reason, std::string_view detail) {
  const std::size_t before = lines_.size();
  lines_ += "{\"time\":\"";
  append_time(lines_, clock_.now());
  lines_ += '"';
  append_member(lines_, "stream", options_.stream);
  lines_ += ",\"partition\":" + std::to_string(partition) + ",\"position\":" + std::to_string(record.position);
  append_member(lines_, "reason", reason);
  append_member(lines_, "detail", excerpt(detail, kKeyBytes));
  if (record.arrival != kNoTime) append_member(lines_, "arrival", format_time(record.arrival));
  append_member(lines_, "topic", excerpt(record.topic, kKeyBytes));
  append_key(lines_, record.key);
  append_payload(lines_, record.payload, options_.payload_cap);
  lines_ += "}\n";
  if (lines_.size() - before > options_.cap / kSegments) {  // a cap smaller than a line
    lines_.resize(before);
    ++dropped_;
    return;
  }
  if (lines_.size() >= std::min<std::uint64_t>(kFlushBytes, options_.cap / kSegments)) flush();
}

void Quarantine::flush() {
  if (lines_.empty()) return;
  // Lines of one flush may be more than a segment: the newest of them are the ones kept.
  std::string_view rest = lines_;
  while (!rest.empty()) {
    const std::uint64_t limit = options_.cap / kSegments;
    std::size_t size = rest.size();
    if (size > limit) size = rest.rfind('\n', limit - 1) + 1;
    make_room(size);
    const auto lines = static_cast<std::uint64_t>(std::count(rest.begin(), rest.begin() + static_cast<long>(size), '\n'));
    (write(rest.substr(0, size)) ? unsynced_ : dropped_) += lines;
    rest.remove_prefix(size);
  }
  lines_.clear();
}

void Quarantine::sync() {
  flush();
  if (unsynced_from_ == 0) return;
  if (const Status s = sync_segments(); !s) {
    trouble_ = "quarantine: " + s.error().message;
    dropped_ += unsynced_;
  }
  unsynced_from_ = unsynced_ = 0;
}

Status Quarantine::sync_segments() {
  std::uint64_t newest = 0;
  for (const Segment& segment : segments_) {
    if (segment.number < unsynced_from_ || segment.bytes == 0) continue;
    const std::string path = path_of(segment.number);
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const bool good = file >= 0 && ::fdatasync(file) == 0;
    const Status failed = good ? Status() : Error{ErrorCode::kIo, "syncing " + path + ": " + std::strerror(errno)};
    if (file >= 0) ::close(file);
    if (!failed) return failed;
    newest = segment.number;
  }
  if (newest <= synced_to_) return {};
  if (const Status s = sync_folder(options_.folder); !s) return s;
  synced_to_ = newest;
  return {};
}

// Begins a segment when the newest one has no room, and deletes the oldest ones over the cap.
void Quarantine::make_room(std::uint64_t bytes) {
  const std::uint64_t limit = options_.cap / kSegments;
  if (segments_.back().bytes > 0 && segments_.back().bytes + bytes > limit) {
    segments_.push_back({segments_.back().number + 1, 0});
    torn_ = false;
  }
  while (segments_.size() > 1 && bytes_ + bytes > options_.cap) {
    ::unlink(path_of(segments_.front().number).c_str());
    bytes_ -= segments_.front().bytes;
    segments_.pop_front();
  }
}

bool Quarantine::write(std::string_view lines) {
  Segment& segment = segments_.back();
  const std::string path = path_of(segment.number);
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file < 0 && errno == ENOENT && make_folder(options_.folder)) {
    // Somebody has made room by deleting it, with all that was in it.
    file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    segments_.erase(segments_.begin(), std::prev(segments_.end()));
    segment.bytes = bytes_ = synced_to_ = 0;
    torn_ = false;
  }
  ssize_t wrote = -1;
  std::string behind_torn;
  if (torn_) lines = behind_torn.append("\n").append(lines);
  if (file >= 0) wrote = ::write(file, lines.data(), lines.size());
  const bool good = wrote == static_cast<ssize_t>(lines.size());
  if (good) {
    trouble_.clear();
    torn_ = false;
    segment.bytes += lines.size();
    bytes_ += lines.size();
    if (unsynced_from_ == 0) unsynced_from_ = segment.number;
  } else {
    trouble_ = "quarantine '" + path + "': " + std::strerror(wrote >= 0 ? ENOSPC : errno);
    // Half a line must not stay in front of the next one.
    if (wrote > 0 && ::ftruncate(file, static_cast<off_t>(segment.bytes)) != 0) {
      segment.bytes += static_cast<std::uint64_t>(wrote);
      bytes_ += static_cast<std::uint64_t>(wrote);
      torn_ = true;
    }
  }
  if (file >= 0) ::close(file);
  return good;
}

Result<std::vector<std::string>> Quarantine::segments(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  if (!fs::exists(folder, error)) return paths;
  for (const auto& [number, size] : segments_in(folder, error)) paths.push_back(segment_path(folder, number));
  if (error) return Error{ErrorCode::kIo, "quarantine folder '" + excerpt(folder) + "': " + error.message()};
  return paths;
}

}  // namespace driftd::ingest
