// Decodes records with a decoder of the registry and holds it to what every decoder promises: all of a
// batch or one record at a time with a save and load in between is the same, and every value is sane.
#pragma once

#include <bit>
#include <cmath>
#include <memory>

#include "core/batch.h"
#include "ingest/decoder.h"
#include "ingest/row_identity.h"
#include "tests/fuzz/fuzz.h"

namespace driftd::fuzz {

inline constexpr std::uint32_t kSensorCap = 8, kCategoryCap = 4;

inline Schema decoder_schema() {
  Schema schema;
  const auto add = [&](const char* name, FieldKind kind, const char* path, bool numbers_in_text) {
    Field field;
    field.name = name;
    field.kind = kind;
    field.path = path;
    field.numbers_in_text = numbers_in_text;
    schema.fields.push_back(field);
  };
  add("t", FieldKind::kNumber, "", false);
  add("n", FieldKind::kNumber, "", true);
  add("i", FieldKind::kInteger, "", false);
  add("c", FieldKind::kCategory, "", false);
  add("f", FieldKind::kFlag, "", false);
  add("x", FieldKind::kText, "", false);
  return schema;
}

class Decoding final : public RejectSink {
 public:
  Decoding(const std::string& decoder, const Params& params, ingest::DecodeOptions options, Schema schema)
      : name_(decoder),
        params_(params),
        options_(std::move(options)),
        schema_(std::move(schema)),
        dictionaries_(schema_.fields.size(), {.cap = kSensorCap}, kCategoryCap),
        decoder_(make()) {}

  void decode(const std::vector<std::string_view>& payloads, std::int64_t first) {
    RawBatch raw;
    for (std::size_t i = 0; i < payloads.size(); ++i) {
      RawRecord record;
      record.payload = payloads[i];
      record.key = "k";
      record.topic = "plant/7/pump";
      record.arrival = 1700000000 * kSecond;
      record.position = first + static_cast<std::int64_t>(i);
      raw.records.push_back(record);
    }
    batch_.reset(schema_, 0);
    BatchBuilder builder(batch_, schema_, dictionaries_);
    decoder_->decode(raw, builder, *this);
    for (std::uint32_t r = 0; r < batch_.rows(); ++r) note_row(r);
  }
  // As after a restart.
  void restart() {
    auto restored = make();
    const std::string state = saved(*decoder_);
    ByteReader in(state);
    FUZZ_CHECK(restored->load(in).ok() && in.left() == 0, "the decoder's state does not load");
    decoder_ = std::move(restored);
  }

  void reject(const RawRecord& record, RejectReason reason, std::string_view) override {
    rejects += std::to_string(record.position) + " " + to_string(reason) + "\n";
    ++rejected;
  }
  void extra_field(std::string_view) override {}

  std::string rows, rejects;
  std::size_t accepted = 0, rejected = 0;

 private:
  std::unique_ptr<ingest::Decoder> make() const {
    auto made = ingest::decoders().find(name_)->make(params_, options_, schema_);
    FUZZ_CHECK(made.ok(), made.error().message);
    return std::move(*made);
  }

  void note_row(std::uint32_t r) {
    ++accepted;
    const std::string& sensor = dictionaries_.sensors.text(batch_.sensor[r]);
    FUZZ_CHECK(!sensor.empty() && sensor.size() <= ingest::kMaxSensorBytes, sensor);
    const Time t = batch_.event_time[r];
    FUZZ_CHECK(t >= ingest::kEarliestTime && t < ingest::kLatestTime, std::to_string(t));
    rows += std::to_string(batch_.position[r]) + " " + std::to_string(t) + " " + sensor;
    for (std::size_t f = 0; f < batch_.columns.size(); ++f) {
      const Column& column = batch_.columns[f];
      FUZZ_CHECK(column.cells.size() == batch_.rows(), schema_.fields[f].name);
      rows += ' ' + std::to_string(static_cast<int>(column.cells[r]));
      if (column.cells[r] != Cell::kValid) continue;
      if (is_numeric(column.kind)) {
        FUZZ_CHECK(std::isfinite(column.numbers[r]), schema_.fields[f].name);
        rows += ':' + std::to_string(std::bit_cast<std::uint64_t>(column.numbers[r]));
      } else if (column.kind == FieldKind::kText) {
        rows += ':' + std::string(batch_.text(column, r));
      } else {
        const std::uint32_t code = column.codes[r];
        FUZZ_CHECK(code == Dictionary::kNone || code < kCategoryCap, std::to_string(code));
        rows += ':' + std::to_string(code);
      }
    }
    rows += '\n';
  }

  std::string name_;
  const Params& params_;
  ingest::DecodeOptions options_;
  Schema schema_;
  Dictionaries dictionaries_;
  std::unique_ptr<ingest::Decoder> decoder_;
  Batch batch_;
};

// `one_row_a_record`: every record is a row or a reject (a CSV header is neither).
inline void fuzz_decoder(const std::string& name, const Params& params, const ingest::DecodeOptions& options, const Schema& schema,
                         const std::vector<std::string_view>& records, bool one_row_a_record) {
  Decoding whole(name, params, options, schema), single(name, params, options, schema);
  whole.decode(records, 0);
  for (std::size_t i = 0; i < records.size(); ++i) {
    single.decode({records[i]}, static_cast<std::int64_t>(i));
    single.restart();
  }
  FUZZ_CHECK(whole.rows == single.rows, whole.rows + "but one by one\n" + single.rows);
  FUZZ_CHECK(whole.rejects == single.rejects, whole.rejects + "but one by one\n" + single.rejects);
  FUZZ_CHECK(whole.accepted + whole.rejected <= records.size(), name);
  FUZZ_CHECK(!one_row_a_record || whole.accepted + whole.rejected == records.size(), name);
}

}  // namespace driftd::fuzz
