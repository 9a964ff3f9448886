#include "app/commands/input.h"

#include <algorithm>
#include <array>

#include "app/config/database_connection.h"
#include "core/hash.h"
#include "core/text.h"
#include "ingest/json_path.h"
#include "ingest/kafka_range.h"
#include "ingest/record_reader.h"
#include "ingest/topic_levels.h"
#include "stats/mysql_rows.h"

namespace driftd::app {
namespace {

constexpr std::size_t kRowsABatch = 4096;

Result<std::vector<std::string>> read_files(const StreamConfig& stream, const InputOptions& input,
                                            const std::function<Status(RawBatch&)>& sink) {
  ingest::ReaderOptions options;
  options.max_record = stream.decode.max_record;
  if (stream.decoder == "csv") {
    options.format = ingest::FileFormat::kCsv;
    const auto format = ingest::csv_format(stream.decoder_params);
    if (!format) return format.error();
    options.csv = *format;
  }
  auto reader = ingest::RecordReader::open(input.files, options);
  if (!reader) return reader.error();
  RawBatch batch;
  while (!reader->finished()) {
    const auto got = reader->read(Deadline::after(kSecond), batch);
    if (!got) return got.error();
    if (!*got) continue;
    if (const Status s = sink(batch); !s) return s.error();
  }
  std::vector<std::string> sources;
  for (const std::string& path : reader->paths()) {
    if (path == "-") {
      sources.push_back("standard input");
      continue;
    }
    const auto hash = sha256_of_file(path);
    if (!hash) return hash.error();
    // Without its folder: the sources are part of the reference's hash, which must be the same elsewhere.
    sources.push_back("file:" + path.substr(path.rfind('/') + 1) + " sha256:" + *hash);
  }
  return sources;
}

Result<stats::MysqlConnection> connection_of(const Config& config, const std::string& name) {
  if (config.databases.empty()) {
    return Error{ErrorCode::kInvalidArgument, "--query needs a database: name one under `databases:` in the configuration"};
  }
  if (name.empty() && config.databases.size() > 1) {
    std::vector<std::string> names;
    for (const auto& [known, database] : config.databases) names.push_back(known);
    return Error{ErrorCode::kInvalidArgument, "which database? --database takes one of: " + join(names)};
  }
  return database_connection(config, name.empty() ? config.databases.begin()->first : name);
}

Result<std::vector<std::string>> read_query(const Config& config, const InputOptions& input, const std::function<Status(RawBatch&)>& sink) {
  const auto connection = connection_of(config, input.database);
  if (!connection) return connection.error();
  RawBatch batch;
  std::vector<std::size_t> sizes;
  const auto flush = [&]() -> Status {
    batch.records.clear();
    std::size_t at = 0;
    for (const std::size_t size : sizes) {
      RawRecord record;
      record.payload = std::string_view(batch.arena).substr(at, size);
      record.position = batch.next_position++;
      batch.records.push_back(record);
      at += size;
    }
    const Status s = sizes.empty() ? Status() : sink(batch);
    batch.arena.clear();
    sizes.clear();
    return s;
  };
  const auto rows = stats::read_mysql_rows(*connection, input.query, [&](std::string_view json) -> Status {
    batch.arena += json;
    sizes.push_back(json.size());
    return sizes.size() < kRowsABatch ? Status() : flush();
  });
  if (!rows) return rows.error();
  if (const Status s = flush(); !s) return s.error();
  return std::vector<std::string>{"query:" + input.query + " database:" + connection->host + "/" + connection->database};
}

Result<InputRead> read_kafka(const StreamConfig& stream, const InputOptions& input, const std::function<Status(RawBatch&)>& sink,
                             const std::vector<ingest::KafkaSpan>& spans) {
  if (stream.source != "kafka")
    return Error{ErrorCode::kInvalidArgument,
                 "--kafka reads with the stream's brokers, but stream " + stream.name + " reads from " + stream.source};
  ingest::KafkaRange range;
  range.connection = ingest::kafka_connection(stream.source_params);
  range.topic = input.kafka_topic;
  range.spans = spans;
  for (const auto& [text, time, option] : {std::tuple(&input.from, &range.from, "--from"), std::tuple(&input.to, &range.to, "--to")}) {
    if (text->empty()) continue;
    const auto parsed = parse_time(*text);
    if (!parsed) return Error{ErrorCode::kInvalidArgument, std::string(option) + " '" + *text + "' is no time as 2026-01-01T00:00:00Z"};
    *time = *parsed;
  }
  auto read = ingest::read_kafka_range(range, sink);
  if (!read) return read.error();
  InputRead out;
  out.sources.push_back("kafka:" + input.kafka_topic + " from:" + input.from + " to:" + input.to);
  for (const ingest::KafkaSpan& span : *read) {
    out.sources.push_back("kafka:" + input.kafka_topic + " partition:" + std::to_string(span.partition) +
                          " offsets:" + std::to_string(span.begin) + "-" + std::to_string(span.end - 1));
  }
  out.spans = std::move(*read);
  return out;
}

// The decoder for a file of this name; the stream's own when the name says nothing.
std::string decoder_of_file(const std::string& path, const StreamConfig& stream) {
  static constexpr std::array<std::pair<std::string_view, const char*>, 4> kEndings = {
      {{".csv", "csv"}, {".jsonl", "json"}, {".ndjson", "json"}, {".json", "json"}}};
  std::string name = path;
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const auto& [ending, decoder] : kEndings) {
    if (name.ends_with(ending)) return decoder;
  }
  return stream.decoder;
}

Result<std::string> decoder_of(const InputOptions& input, const StreamConfig& stream) {
  if (!input.query.empty()) return std::string("json");  // its rows come as JSON objects
  if (input.files.empty()) return stream.decoder;
  std::string decoder = decoder_of_file(input.files.front(), stream);
  for (const std::string& path : input.files) {
    const std::string other = decoder_of_file(path, stream);
    if (other == decoder) continue;
    return Error{ErrorCode::kInvalidArgument, input.files.front() + " is read as " + decoder + ", but " + path + " as " + other +
                                                  " (by their names); all files of one command must have one format"};
  }
  return decoder;
}

// The column of a table for what stands at `path` in JSON. Nothing stands inside another thing there: what does
// in JSON is in the column `nested`, or else in one named as the last part of its path.
std::string column_of(const std::string& path, const std::string& nested = {}) {
  ingest::PathTree tree;
  if (!path.starts_with('/') || !tree.add(path, 0)) return path;
  const ingest::PathNode* node = &tree.root();
  std::size_t parts = 0;
  for (; !node->children.empty(); ++parts) node = &node->children.front();
  return parts > 1 && !nested.empty() ? nested : node->key;
}

Status change_decoder(StreamConfig& stream, const std::string& decoder) {
  if (decoder == stream.decoder) return {};
  if (stream.decoder == "csv" && !stream.decoder_params.texts("time_parts").empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "stream " + stream.name + " joins its time from columns (time_parts), which can be done with CSV only"};
  }
  ErrorList errors;  // stays empty: all of the decoder's parameters have a default
  stream.decoder = decoder;
  stream.decoder_params = read_params({}, ingest::decoders().find(decoder)->descriptor.params, decoder, errors);
  return {};
}

}  // namespace

Result<StreamConfig> fit_to_input(StreamConfig stream, const InputOptions& input) {
  if (!input.sensor.empty()) stream.decode.sensor = input.sensor;
  if (!input.kafka_topic.empty()) return stream;
  const auto decoder = decoder_of(input, stream);
  if (!decoder) return decoder.error();
  const bool columns = stream.decoder != "csv" && (*decoder == "csv" || !input.query.empty());
  if (const Status s = change_decoder(stream, *decoder); !s) return s.error();
  const std::string& sensor = stream.decode.sensor;
  if (sensor == "@key" || sensor == "@topic" || ingest::topic_level(sensor) != 0) {
    const std::string what = input.query.empty() ? "file" : "query";
    return Error{ErrorCode::kInvalidArgument, "stream " + stream.name + " takes its sensor from " + sensor + ", which the records of a " +
                                                  what + " do not have; name the field that has it with --sensor FIELD"};
  }
  for (Field& field : stream.schema.fields) {
    if (ingest::topic_level(field.path) != 0) field.path.clear();
    if (columns) field.path = column_of(field.path, field.name);
  }
  if (columns) {
    stream.decode.sensor = column_of(sensor);
    stream.decode.time = column_of(stream.decode.time);
  }
  return stream;
}

Result<const StreamConfig*> pick_stream(const Config& config, const std::string& name) {
  std::vector<std::string> names;
  for (const StreamConfig& s : config.streams) names.push_back(s.name);
  if (name.empty() && names.size() == 1) return &config.streams.front();
  if (name.empty()) return Error{ErrorCode::kInvalidArgument, "which stream? --stream takes one of: " + join(names)};
  if (const StreamConfig* s = config.stream(name)) return s;
  const auto near = nearest(name, names);
  return Error{ErrorCode::kInvalidArgument,
               "the configuration has no stream '" + name + "'" + (near ? "; did you mean '" + *near + "'?" : "; it has: " + join(names))};
}

Result<InputRead> read_input(const Config& config, const StreamConfig& stream, const InputOptions& input,
                             const std::function<Status(RawBatch&)>& sink, const std::vector<ingest::KafkaSpan>& spans) {
  if (input.files.empty() && input.query.empty() && !input.kafka_topic.empty()) return read_kafka(stream, input, sink, spans);
  if (!input.files.empty() || !input.query.empty()) {
    auto sources = input.files.empty() ? read_query(config, input, sink) : read_files(stream, input, sink);
    if (!sources) return sources.error();
    return InputRead{std::move(*sources), {}};
  }
  return Error{ErrorCode::kInvalidArgument, "nothing to read: give --input FILE, --query SQL or --kafka TOPIC"};
}

}  // namespace driftd::app
