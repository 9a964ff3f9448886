// File source: the records of CSV or JSON-lines files, in order, as one partition.
#include <mutex>
#include <optional>

#include "core/unit_problems.h"
#include "ingest/record_reader.h"
#include "ingest/source.h"

namespace driftd::ingest {
namespace {

class FileSource final : public Source {
 public:
  FileSource(std::vector<std::string> paths, const ReaderOptions& options) : paths_(std::move(paths)), options_(options) {}

  Status open(SourceHandler& handler) override {
    auto opened = RecordReader::open(paths_, options_);
    if (!opened) return opened.error();
    reader_.emplace(std::move(opened).value());
    handler_ = &handler;
    reader_->start_at(handler.on_assigned(0).value_or(0));
    set_status(true, "");
    return {};
  }

  Result<bool> poll(Deadline deadline, RawBatch& out) override {
    out.records.clear();
    if (paused_ || !reader_) return false;
    auto got = reader_->read(deadline, out);
    if (!got) set_status(false, got.error().message);
    return got;
  }

  void pause(bool paused) override { paused_ = paused; }
  bool finished() const override { return reader_ && reader_->finished(); }

  void close() override {
    if (handler_ == nullptr) return;
    handler_->on_revoked({0});
    handler_ = nullptr;
    reader_.reset();
    set_status(false, "closed");
  }

  SourceStatus status() const override {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  void set_status(bool connected, const std::string& detail) {
    const std::lock_guard lock(mutex_);
    status_.connected = connected;
    status_.assigned = connected;
    status_.detail = detail;
    status_.partitions.clear();
    if (connected) status_.partitions.push_back({0, std::nullopt});
  }

  std::vector<std::string> paths_;
  ReaderOptions options_;
  std::optional<RecordReader> reader_;
  SourceHandler* handler_ = nullptr;
  bool paused_ = false;
  mutable std::mutex mutex_;  // guards status_
  SourceStatus status_;
};

Result<std::unique_ptr<Source>> make(const Params& params, const SourceContext& context) {
  UnitProblems problems(params, context.problems, "from: file");
  ReaderOptions options;
  const auto format = csv_format(params);
  if (format) {
    options.csv = *format;
  } else {
    problems.add(format.error().message.starts_with("'quote'") ? "quote" : "separator", format.error().message);
  }
  options.format = params.text("format") == "csv" ? FileFormat::kCsv : FileFormat::kJsonLines;
  options.max_record = params.size("max_record");
  const auto& paths = params.texts("paths");
  if (paths.empty()) problems.add("paths", "'paths' is empty");
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].empty()) problems.add(item_of(params, "paths", i), "a path is empty");
  }
  if (problems.done()) return problems.result<Source>();
  return std::unique_ptr<Source>(std::make_unique<FileSource>(paths, options));
}

}  // namespace

void register_file(SourceRegistry& registry) {
  Descriptor d;
  d.name = "file";
  d.summary = "Reads CSV or JSON-lines files from beginning to end.";
  d.applies_to = "stream";
  d.params = {
      {.name = "paths",
       .type = ParamType::kTextList,
       .sentence = "Files in the order to read them; wildcards allowed, - is standard input",
       .required = true},
      {.name = "format",
       .type = ParamType::kChoice,
       .sentence = "How records are told apart: by line, or by CSV row",
       .default_text = "json_lines",
       .choices = {"json_lines", "csv"}},
      {.name = "max_record",
       .type = ParamType::kSize,
       .sentence = "Longest record; longer ones are cut and rejected as too_large; not below "
                   "decode.max_record",
       .default_text = "1MiB",
       .min = 64,
       .max = 1U << 30},
  };
  for (ParamSpec& spec : csv_format_params()) d.params.push_back(std::move(spec));
  d.source = "RFC 4180 (CSV), JSON Lines";
  d.example = "from:\n  file: {paths: [history/*.csv], format: csv}\n";
  d.notes =
      "All files are one partition; a record's position is its number over all files, from 0, "
      "where a CSV "
      "header line counts as a record and empty lines do not. Files must not change between runs. "
      "For "
      "records that keep coming use kafka, mqtt or http.";
  registry.add(std::move(d), make);
}

}  // namespace driftd::ingest
