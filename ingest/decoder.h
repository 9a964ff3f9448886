// Decoder: bytes to rows. One object a partition, never called concurrently.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/batch.h"
#include "core/raw_batch.h"
#include "core/registry.h"
#include "core/reject.h"
#include "core/result.h"

namespace driftd::ingest {

enum class TimeUnit { kSeconds, kMillis, kMicros, kNanos, kRfc3339 };

// What every decoder is told; from the stream's `decode:` and `fields:`.
struct DecodeOptions {
  std::string sensor;  // JSON pointer ("/meta/id"), top-level name ("id") or column name; or
                       // "@key" (the record's key), "@topic" or "@topic/2" (a level
                       // of it, see topic_levels.h); empty: one sensor named "-"
  std::string time;    // as sensor; "@arrival" takes RawRecord::arrival
  TimeUnit time_unit = TimeUnit::kMillis;
  Duration max_future = 60 * kSecond;  // later than arrival + this is a reject; not judged when the
                                       // record has no arrival time
  std::size_t max_record = 1U << 20;   // bytes
  std::size_t max_depth = 64;
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Appends one row for every good record, in order, and rejects the others. Never throws, never
  // stops. A decoder may keep state between records of a partition (a CSV header).
  virtual void decode(const RawBatch& raw, BatchBuilder& out, RejectSink& rejects) = 0;
  virtual void save(ByteWriter&) const {}
  virtual Status load(ByteReader&) { return {}; }
};

// `schema` outlives the decoder; Field::path says where each field stands (its name when empty).
// Field::path "@topic/2" is a level of the topic.
using DecoderFactory =
    std::function<Result<std::unique_ptr<Decoder>>(const Params& params, const DecodeOptions& options, const Schema& schema)>;
using DecoderRegistry = Registry<DecoderFactory>;

// All decoders of ingest/decoders.def.
const DecoderRegistry& decoders();

}  // namespace driftd::ingest
