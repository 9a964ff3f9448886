// Which partition a message of MQTT or HTTP is in: a byte for the sensor's path, a topic, and payloads between 0x1e.
// A record is where its sensor is, whatever came before it, and its topic has the levels that splitting it gives.
#include <nlohmann/json.hpp>

#include "core/batch.h"
#include "ingest/decoder.h"
#include "ingest/partitioner.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace driftd;

constexpr std::uint32_t kPartitions = 1024;
constexpr std::size_t kLevel = 2;  // of the topic, that a field of the stream is

class NoRejects final : public RejectSink {
 public:
  void reject(const RawRecord&, RejectReason, std::string_view) override {}
  void extra_field(std::string_view) override {}
};

Schema topic_schema() {
  Schema schema;
  Field field;
  field.name = "level";
  field.kind = FieldKind::kText;
  field.path = "@topic/" + std::to_string(kLevel);
  schema.fields.push_back(field);
  return schema;
}

std::string_view level(std::string_view topic, std::size_t n) {
  const auto levels = fuzz::split(topic, '/', topic.size() + 1);
  return n <= levels.size() ? levels[n - 1] : std::string_view();
}

// The sensor that the JSON decoder sees, which then counts; empty when it rejects the record.
std::string decoded(const std::string& sensor, const RawRecord& record) {
  static const Schema schema = topic_schema();
  static const Params none;
  ingest::DecodeOptions options;
  options.sensor = sensor;
  options.time = "@arrival";
  const auto decoder = ingest::decoders().find("json")->make(none, options, schema);
  FUZZ_CHECK(decoder.ok(), sensor);
  Dictionaries dictionaries(1, {.cap = 8}, 4);
  Batch batch;
  batch.reset(schema, 0);
  BatchBuilder builder(batch, schema, dictionaries);
  NoRejects rejects;
  RawBatch raw;
  raw.records.push_back(record);
  (*decoder)->decode(raw, builder, rejects);
  if (batch.rows() == 0) return {};
  const Column& column = batch.columns[0];
  const std::string_view wanted = level(record.topic, kLevel);
  FUZZ_CHECK((column.cells[0] == Cell::kValid) == !wanted.empty(), "a level of the topic that is there, or is not");
  FUZZ_CHECK(wanted.empty() || batch.text(column, 0) == wanted, "another level of the topic");
  return dictionaries.sensors.text(batch.sensor[0]);
}

// The decoder looks at no more of what is unread than it must.
bool is_whole(std::string_view payload, const std::string& sensor) { return sensor.starts_with('@') || nlohmann::json::accept(payload); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::string> sensors = {"s", "/m/s", "a~b", "@topic", "@topic/1", "@topic/2", "@topic/128", ""};
  std::string_view input = fuzz::text_of(data, size);
  const std::string& sensor = sensors[fuzz::take_byte(input) % sensors.size()];
  const auto parts = fuzz::split(input, '\x1e', 16);
  const std::string_view topic = parts[0];
  ingest::Partitioner partitioner(sensor, kPartitions), by_name("@topic", kPartitions);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string_view payload = parts[i];
    const std::uint32_t partition = partitioner(topic, payload);
    FUZZ_CHECK(partition < kPartitions, std::to_string(partition));
    FUZZ_CHECK(partition == ingest::Partitioner(sensor, kPartitions)(topic, payload), "what came before moves a record");
    if (sensor.starts_with("@topic/"))
      FUZZ_CHECK(partition == by_name(level(topic, std::stoul(sensor.substr(7))), ""), "another level of the topic");
    RawRecord record;
    record.topic = topic;
    record.payload = payload;
    record.arrival = 1700000000 * kSecond;
    const std::string found = decoded(sensor, record);
    if (!sensor.empty() && !found.empty() && is_whole(payload, sensor))
      FUZZ_CHECK(partition == by_name(found, ""), "not where its sensor is: " + found);
  }
  return 0;
}
