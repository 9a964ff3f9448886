#include "ingest/record_reader.h"

#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/text.h"

namespace driftd::ingest {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Error file_error(const std::string& path, int error) {
  const auto code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  return {code, "file '" + excerpt(path) + "': " + std::strerror(error)};
}

Status check_readable(const std::string& path) {
  struct stat info {};
  if (path == "-") return {};
  if (::stat(path.c_str(), &info) != 0 || ::access(path.c_str(), R_OK) != 0) return file_error(path, errno);
  if (S_ISDIR(info.st_mode)) return file_error(path, EISDIR);
  return {};
}

Result<std::vector<std::string>> expanded(const std::string& path) {
  if (path.find_first_of("*?[") == std::string::npos || ::access(path.c_str(), F_OK) == 0) {
    return std::vector<std::string>{path};
  }
  glob_t found{};
  const int status = ::glob(path.c_str(), GLOB_NOSORT, nullptr, &found);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < found.gl_pathc; ++i) out.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  if (status != 0) return Error{ErrorCode::kNotFound, "no file matches '" + excerpt(path) + "'"};
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Result<RecordReader> RecordReader::open(const std::vector<std::string>& paths, const ReaderOptions& options) {
  std::vector<std::string> all;
  for (const std::string& path : paths) {
    const auto some = expanded(path);
    if (!some) return some.error();
    all.insert(all.end(), some->begin(), some->end());
  }
  for (const std::string& path : all) {
    if (const Status status = check_readable(path); !status.ok()) return status.error();
  }
  return RecordReader(std::move(all), options);
}

RecordReader::RecordReader(std::vector<std::string> paths, const ReaderOptions& options)
    : paths_(std::move(paths)), options_(options), row_end_(options.csv) {}

RecordReader::RecordReader(RecordReader&& other) noexcept : row_end_(other.row_end_) { *this = std::move(other); }

RecordReader& RecordReader::operator=(RecordReader&& other) noexcept {
  if (this == &other) return *this;
  close_file();
  paths_ = std::move(other.paths_);
  options_ = other.options_;
  row_end_ = other.row_end_;
  next_path_ = other.next_path_;
  file_ = std::exchange(other.file_, -1);
  at_file_start_ = other.at_file_start_;
  at_file_end_ = other.at_file_end_;
  skipping_ = other.skipping_;
  rest_ = std::move(other.rest_);
  searched_ = other.searched_;
  start_ = other.start_;
  position_ = other.position_;
  found_ = std::move(other.found_);
  return *this;
}

RecordReader::~RecordReader() { close_file(); }

Status RecordReader::open_next() {
  const std::string& path = paths_[next_path_];
  file_ = path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) return file_error(path, errno);
  ++next_path_;
  at_file_start_ = true;
  at_file_end_ = false;
  row_end_.reset();
  return {};
}

void RecordReader::close_file() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

Result<bool> RecordReader::read(Deadline deadline, RawBatch& out) {
  out.partition = 0;
  out.records.clear();
  out.owner.reset();
  found_.clear();
  bool fresh = !rest_.empty() && searched_ == 0;  // rest_ may hold whole records
  while (out.records.empty()) {
    if (file_ < 0) {
      if (next_path_ == paths_.size()) return false;
      if (const Status status = open_next(); !status.ok()) return status.error();
    }
    out.arena.assign(rest_);
    if (!fresh && !at_file_end_) {
      const auto filled = fill(deadline, out);
      if (!filled) return filled.error();
      if (!*filled) return false;
    }
    fresh = false;
    split(out);
    if (out.records.empty() && deadline.passed()) return false;
  }
  for (std::size_t i = 0; i < out.records.size(); ++i) {
    out.records[i].payload = std::string_view(out.arena).substr(found_[i].first, found_[i].second);
  }
  out.next_position = position_;
  return true;
}

// Appends the next bytes of the file to the arena; false when there were none until the deadline.
Result<bool> RecordReader::fill(Deadline deadline, RawBatch& out) {
  const std::string& path = paths_[next_path_ - 1];
  pollfd wait{file_, POLLIN, 0};
  const auto millis = static_cast<int>(std::min<Duration>(deadline.left() / kMillisecond, 60'000));
  const int ready = ::poll(&wait, 1, millis);
  if (ready == 0 || (ready < 0 && errno == EINTR)) return false;
  if (ready < 0) return file_error(path, errno);
  const std::size_t held = out.arena.size();
  out.arena.resize(held + options_.chunk);
  const ssize_t got = ::read(file_, out.arena.data() + held, options_.chunk);
  out.arena.resize(held + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) {
    if (errno == EINTR || errno == EAGAIN) return false;
    return file_error(path, errno);
  }
  at_file_end_ = got == 0;
  return true;
}

std::size_t RecordReader::find_end(std::string_view bytes) {
  if (options_.format == FileFormat::kJsonLines || skipping_) return bytes.find('\n');
  return row_end_.find(bytes);
}

// Finds the records in the arena; what is not handed over stays in rest_. An end is looked for as far as a record may
// reach (with its line end) and no further, so that where one that is too large ends does not depend on the chunks.
void RecordReader::split(RawBatch& out) {
  const std::string_view all = out.arena;
  std::size_t begin = 0;
  if (at_file_start_ && (all.size() >= kByteOrderMark.size() || at_file_end_)) {
    if (all.starts_with(kByteOrderMark)) begin = kByteOrderMark.size();
    at_file_start_ = false;
  }
  while (!at_file_start_ && found_.size() < options_.max_records) {
    const std::size_t longest = options_.max_record + 2;
    const std::size_t reach = skipping_ ? all.size() - begin : std::min(all.size() - begin, longest);
    const std::size_t at = find_end(all.substr(begin + searched_, reach - searched_));
    const std::size_t size = at == std::string_view::npos ? reach : searched_ + at;
    if (at != std::string_view::npos || (at_file_end_ && begin + size == all.size())) {
      if (!skipping_) add(out, begin, size);
      skipping_ = false;
      searched_ = 0;
      row_end_.reset();
      begin = std::min(begin + size + 1, all.size());
      if (at == std::string_view::npos) break;
    } else if (size == longest && !skipping_) {
      add(out, begin, size);
      begin += size;
      skipping_ = true;
      searched_ = 0;
    } else {
      searched_ = skipping_ ? 0 : size;
      if (skipping_) begin = all.size();
      break;
    }
  }
  rest_.assign(all.substr(begin));
  if (at_file_end_ && rest_.empty()) close_file();
}

void RecordReader::add(RawBatch& out, std::size_t begin, std::size_t size) {
  if (size > 0 && out.arena[begin + size - 1] == '\r') --size;
  if (size == 0) return;
  const std::int64_t position = position_++;
  if (position < start_) return;
  found_.emplace_back(begin, std::min(size, options_.max_record + 1));
  out.records.push_back({});
  out.records.back().position = position;
}

}  // namespace driftd::ingest
