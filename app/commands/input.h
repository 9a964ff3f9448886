// Reading a stream's records once from files, a query or a stretch of a topic, for replay and reference
// building: the same records in the same partitions and positions as live.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/commands/commands.h"
#include "app/config/config.h"
#include "core/raw_batch.h"
#include "ingest/kafka_range.h"

namespace driftd::app {

struct InputRead {
  std::vector<std::string> sources;      // as provenance: "file:a.csv sha256:...", without folders
  std::vector<ingest::KafkaSpan> spans;  // of a topic
};

// Hands batches to `sink` in order. `spans`, of an earlier reading of the topic: the same records again,
// although the topic grows.
Result<InputRead> read_input(const Config& config, const StreamConfig& stream, const InputOptions& input,
                             const std::function<Status(RawBatch&)>& sink, const std::vector<ingest::KafkaSpan>& spans = {});

// The stream as it can be read from this input. Files are read as their names say (.csv: with a header line;
// .jsonl, .ndjson, .json), others as the stream's decoder does; files of several formats are an Error. In CSV and
// in a query, a field that a JSON pointer finds inside another is looked for under its own name, sensor and time
// under the last part of theirs. Files and queries have neither topic nor key: a sensor
// that stands there is an Error unless input.sensor names a field, and a field that is a level of the
// topic is looked for under its own name.
Result<StreamConfig> fit_to_input(StreamConfig stream, const InputOptions& input);

// The stream that a command is about: the named one, or the only one.
Result<const StreamConfig*> pick_stream(const Config& config, const std::string& name);

}  // namespace driftd::app
