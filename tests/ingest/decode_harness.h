// Decodes texts with a decoder from the registry and keeps what came of it, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/batch.h"
#include "core/reject.h"
#include "ingest/decoder.h"

namespace driftd::ingest {

class DecodeHarness final : public RejectSink {
 public:
  // Precondition: the decoder can be made of `params`.
  DecodeHarness(const std::string& decoder, DecodeOptions options, Schema schema, const Node& params = {}, std::uint32_t sensor_cap = 100)
      : schema_(std::move(schema)), dictionaries_(schema_.fields.size(), {.cap = sensor_cap}, 100) {
    const auto* unit = decoders().find(decoder);
    ErrorList errors;
    const Params read = read_params(params, unit->descriptor.params, decoder, errors);
    EXPECT_TRUE(errors.empty()) << errors.errors().front().message;
    auto made = unit->make(read, options, schema_);
    EXPECT_TRUE(made.ok()) << made.error().message;
    decoder_ = std::move(made).value();
  }

  // Decodes one batch; positions count on from batch to batch.
  const Batch& decode(const std::vector<std::string>& payloads, RawRecord like = {}) {
    payloads_ = payloads;
    RawBatch raw;
    for (const std::string& payload : payloads_) {
      like.payload = payload;
      like.position = next_position_++;
      raw.records.push_back(like);
    }
    batch_.reset(schema_, 0);
    BatchBuilder builder(batch_, schema_, dictionaries_);
    decoder_->decode(raw, builder, *this);
    return batch_;
  }

  void reject(const RawRecord& record, RejectReason reason, std::string_view) override {
    rejects.emplace_back(record.position, to_string(reason));
  }
  void extra_field(std::string_view name) override { extra.emplace_back(name); }

  // The first record's cell of a field, as text: "21.5", "missing", "null", "wrong_type", ...
  std::string cell(std::size_t field, std::uint32_t row = 0) const {
    static constexpr const char* kNames[] = {"", "missing", "null", "wrong_type", "not_finite"};
    const Column& column = batch_.columns[field];
    if (column.cells[row] != Cell::kValid) return kNames[static_cast<int>(column.cells[row])];
    if (is_numeric(column.kind)) {
      std::string out = std::to_string(column.numbers[row]);
      out.erase(out.find_last_not_of('0') + 1);
      if (out.back() == '.') out.pop_back();
      return out;
    }
    if (column.kind == FieldKind::kText) return std::string(batch_.text(column, row));
    const std::uint32_t code = column.codes[row];
    return code == Dictionary::kNone ? "not kept" : dictionaries_.categories[field].text(code);
  }
  std::string sensor(std::uint32_t row = 0) const { return dictionaries_.sensors.text(batch_.sensor[row]); }

  void skip_positions(std::int64_t n) { next_position_ += n; }
  Decoder& decoder() { return *decoder_; }
  Dictionaries& dictionaries() { return dictionaries_; }
  const Batch& batch() const { return batch_; }

  std::vector<std::pair<std::int64_t, std::string>> rejects;  // position, reason
  std::vector<std::string> extra;

 private:
  Schema schema_;
  Dictionaries dictionaries_;
  std::unique_ptr<Decoder> decoder_;
  Batch batch_;
  std::vector<std::string> payloads_;
  std::int64_t next_position_ = 0;
};

inline Field field(std::string name, FieldKind kind, std::string path = "", bool numbers_in_text = false) {
  Field f;
  f.name = std::move(name);
  f.kind = kind;
  f.path = std::move(path);
  f.numbers_in_text = numbers_in_text;
  return f;
}

inline DecodeOptions options(std::string sensor, std::string time, TimeUnit unit = TimeUnit::kMillis) {
  DecodeOptions o;
  o.sensor = std::move(sensor);
  o.time = std::move(time);
  o.time_unit = unit;
  return o;
}

// One record, of which a single field or fate is looked at.
struct DecodeCase {
  std::string payload;
  std::string expected;
};

}  // namespace driftd::ingest
