// RecordReader: the records of files, one after the other: JSON lines or CSV rows, undecoded.
//
// All files make one sequence: a record's position is its number over all of them, from 0; a CSV
// file's header line is a record like any other. Empty lines are no records. A byte order mark at
// the start of a file is left out. A record longer than max_record is cut to max_record + 1 bytes,
// so that every decoder rejects it as too_large, and the file is read on behind its line; a CSV
// record that runs over because of an unclosed quote costs the lines up to there, not the file.
// Thread-safety: none. Memory: a few times max(chunk, max_record).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/raw_batch.h"
#include "core/result.h"
#include "ingest/csv_row.h"

namespace driftd::ingest {

enum class FileFormat { kJsonLines, kCsv };

struct ReaderOptions {
  FileFormat format = FileFormat::kJsonLines;
  CsvFormat csv;
  std::size_t max_record = 1U << 20;  // bytes; as DecodeOptions
  std::size_t chunk = 1U << 18;       // bytes read at once
  std::size_t max_records = 8192;     // in one batch
};

class RecordReader {
 public:
  // Opens nothing yet but checks that every path can be read. A path may have wildcards (* ? [);
  // what they match is taken in the order of its bytes. "-" is standard input.
  static Result<RecordReader> open(const std::vector<std::string>& paths, const ReaderOptions& options);

  RecordReader(RecordReader&& other) noexcept;
  RecordReader& operator=(RecordReader&& other) noexcept;
  ~RecordReader();

  // Records before `position` are read over.
  void start_at(std::int64_t position) { start_ = position; }

  // Fills `out` (cleared first, partition 0) and returns true, or false when there was nothing
  // until the deadline or everything has been read (finished()). Error{kIo}: the operating system
  // refused.
  Result<bool> read(Deadline deadline, RawBatch& out);

  // Every file, wildcards expanded, in the order of reading.
  const std::vector<std::string>& paths() const { return paths_; }

  bool finished() const { return file_ < 0 && next_path_ == paths_.size() && rest_.empty(); }

 private:
  RecordReader(std::vector<std::string> paths, const ReaderOptions& options);

  Status open_next();
  void close_file();
  Result<bool> fill(Deadline deadline, RawBatch& out);
  void split(RawBatch& out);
  std::size_t find_end(std::string_view bytes);
  void add(RawBatch& out, std::size_t begin, std::size_t size);

  std::vector<std::string> paths_;
  ReaderOptions options_;
  CsvRowEnd row_end_;
  std::size_t next_path_ = 0;
  int file_ = -1;
  bool at_file_start_ = false;
  bool at_file_end_ = false;
  bool skipping_ = false;     // inside a record that was too long
  std::string rest_;          // bytes read but not yet handed over
  std::size_t searched_ = 0;  // bytes of rest_ known to have no record end
  std::int64_t start_ = 0;
  std::int64_t position_ = 0;
  std::vector<std::pair<std::size_t, std::size_t>> found_;  // begin and size in the arena
};

}  // namespace driftd::ingest
