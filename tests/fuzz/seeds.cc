#include "tests/fuzz/seeds.h"

#include "alerts/alert_book.h"
#include "alerts/outbox_row.h"
#include "app/engine/stream_engine.h"
#include "core/dictionary.h"
#include "ingest/journal_frame.h"
#include "stats/detector.h"
#include "stats/log_histogram.h"
#include "stats/reference_store.h"
#include "tests/fuzz/stream_for_fuzz.h"

namespace driftd::fuzz {
namespace {

struct Outputs final : app::OutputSink {
  void take(app::PartitionOutput output) override { all.push_back(std::move(output)); }
  std::vector<app::PartitionOutput> all;
};

void add_states(std::map<std::string, std::vector<std::string>>& out) {
  app::StreamConfig config = all_checks_stream();
  const auto plan = app::make_plan(config, reference_of(config.schema), true);
  FUZZ_CHECK(plan.ok(), "no plan");
  IgnoreRejects rejects;
  auto engine = app::PartitionEngine::make(*plan, 0, rejects);
  auto merger = app::Merger::make(*plan, nullptr, [](app::ClosedWindow) {});
  FUZZ_CHECK(engine.ok() && merger.ok(), "no engine");
  (*merger)->set_partitions({0, 1});  // the second says nothing, so that windows wait
  const auto records = some_records(config.schema, 30);
  Outputs outputs;
  out["partition_state"].push_back(saved(**engine));
  (*engine)->process(raw_batch(records), outputs);
  out["partition_state"].push_back(saved(**engine));
  out["merger_state"].push_back('\0' + saved(**merger));
  alerts::AlertBook book{alerts::AlertRules{}};
  for (app::PartitionOutput& output : outputs.all) {
    for (const Finding& finding : output.findings) book.take(finding);
    std::vector<alerts::AlertEvent> events;
    if (!output.findings.empty()) book.close("all", output.end, {}, events);
    (*merger)->take(std::move(output));
  }
  out["merger_state"].push_back('\0' + saved(**merger));
  out["alert_book"].push_back(saved(book));
  ByteWriter stream, hub;
  book.save_stream("all", stream);
  out["alert_stream"].push_back(stream.take());
  hub.u64(0);
  hub.u64(11);  // of the log that the target writes
  hub.str(out["alert_book"].back());
  out["hub_state"].push_back(hub.take());
}

// A column of a row as hand_over_fuzz.cc reads it.
void put_column(ByteWriter& out, const std::string& text) {
  out.u8(static_cast<std::uint8_t>(text.size()));
  out.raw(text.data(), text.size());
}

// Windows of a stream before and after its reference changed, in a merger and as rows of a shared store.
void add_two_editions(std::map<std::string, std::vector<std::string>>& out) {
  const auto editions = two_editions();
  const app::StreamConfig& config = editions.front().plan->config;
  IgnoreRejects rejects;
  auto engine = app::PartitionEngine::make(editions.front().plan, 0, rejects);
  auto merger = app::Merger::make(editions.front().plan, nullptr, [](app::ClosedWindow) {});
  FUZZ_CHECK(engine.ok() && merger.ok(), "no engine");
  adopt_rest(**engine, editions);
  adopt_rest(**merger, editions);
  (*merger)->set_partitions({0, 1});
  Outputs outputs;
  const auto records = some_records(config.schema, 30);
  (*engine)->process(raw_batch(records), outputs);
  std::vector<std::string> rows;
  Time told = kNoTime;
  for (app::PartitionOutput& output : outputs.all) {
    ByteWriter row;
    row.u8(0);
    for (const std::string& text :
         {std::to_string(rows.size()), std::string("0"), std::to_string(output.end), std::string("h"), std::string("r"), std::string()}) {
      put_column(row, text);
    }
    row.str(saved(output));
    told = output.closed_until;
    if (output.end != kNoTime) rows.push_back(row.take());
    (*merger)->take(std::move(output));
  }
  out["merger_state"].push_back('\1' + saved(**merger));
  for (const std::uint32_t partition : {0U, 1U}) {
    ByteWriter row;
    row.u8(1);
    for (const std::string& text : {std::to_string(partition), std::string("h"), std::to_string(told), std::to_string(kNoTime),
                                    std::to_string(partition), std::string("7")}) {
      put_column(row, text);
    }
    rows.push_back(row.take());
  }
  std::string all(1, '\0');
  for (const std::string& row : rows) all += row;
  out["hand_over"] = {all, '\0' + rows.front() + rows.back()};
}

// A message about a finding, in the columns of its row.
std::string outbox_row_seed(const char* type, std::int64_t attempts, std::int64_t state) {
  Finding finding;
  finding.id = "00000000000000f1";
  finding.stream = "pumps";
  alerts::Message message;
  Alert& alert = message.alerts.emplace_back();
  alert.stream = "pumps";
  alert.segment = {"site", "a"};
  alert.starts_at = alert.last_seen = 1700000000 * kSecond;
  alert.findings = {finding.id};
  alert.summary = "pumps site=a: in_range fails";
  alert.fingerprint = alerts::fingerprint(alert);
  append_json(message.finding_lines.emplace_back(), finding);
  ByteWriter out;
  for (const char* text : {"0123456789abcdef", "hook", type, "stream=\"pumps\""}) out.str(text);
  for (const std::int64_t n : {1700000000 * kSecond, attempts, 1700000060 * kSecond, state}) out.i64(n);
  out.str("503");
  out.str(encode_body(message));
  return out.take();
}

void add_units(std::vector<std::string>& out) {
  const app::StreamConfig config = all_checks_stream();
  const auto reference = reference_of(config.schema);
  auto checks = app::make_checks(config, reference.get());
  FUZZ_CHECK(checks.ok(), "no checks");
  Dictionaries dictionaries(config.schema.fields.size());
  Batch batch;
  batch.reset(config.schema, 0);
  BatchBuilder builder(batch, config.schema, dictionaries);
  auto decoder = ingest::decoders().find("json")->make(config.decoder_params, config.decode, config.schema);
  IgnoreRejects rejects;
  const auto records = some_records(config.schema, 30);
  (*decoder)->decode(raw_batch(records), builder, rejects);
  for (std::size_t i = 0; i < checks->size(); ++i) {
    rules::RowHits hits;
    if ((*checks)[i]->row_level()) (*checks)[i]->on_rows({batch, {0, batch.rows()}, dictionaries}, hits);
    out.push_back(static_cast<char>(i) + saved(*(*checks)[i]));
  }
  stats::LogHistogram histogram;
  for (const double x : {-1.0, 0.0, 1e9, 1e-9}) histogram.add(x);
  out.push_back('\xff' + saved(histogram));
  out.push_back('\xfe' + saved(dictionaries.categories[0]));
  const auto& units = stats::detectors().units();
  for (std::size_t d = 0; d < units.size(); ++d) {
    ErrorList errors;
    auto detector = units[d].make(read_params({}, units[d].descriptor.params, units[d].descriptor.name, errors));
    FUZZ_CHECK(detector.ok(), units[d].descriptor.name);
    for (int i = 0; i < 300; ++i) (*detector)->update((*detector)->binary() ? i % 3 == 0 : i % 7 + (i > 150 ? 5 : 0), kSecond);
    out.push_back(static_cast<char>(253 - d) + saved(**detector));
  }
  for (const auto& unit : ingest::decoders().units()) {
    ErrorList errors;
    auto one = unit.make(read_params({}, unit.descriptor.params, unit.descriptor.name, errors), config.decode, config.schema);
    FUZZ_CHECK(one.ok(), unit.descriptor.name);
    (*one)->decode(raw_batch({"ts,s,x", "1700000000,p1,20", records.front()}), builder, rejects);
    out.push_back(static_cast<char>(253 - units.size() - (&unit - ingest::decoders().units().data())) + saved(**one));
  }
}

std::string journal_seed(char variant) {
  std::string bytes(1, variant);
  for (int i = 0; i < 5; ++i) {
    ingest::JournalEntry entry;
    entry.sequence = i;
    entry.arrival = 1700000000 * kSecond;
    entry.partition = static_cast<std::uint32_t>(i % 4);
    entry.packet_id = 7;
    entry.topic = "plant/1";
    entry.payload = "{\"a\":1}";
    ingest::append_frame(bytes, entry);
  }
  return bytes;
}

}  // namespace

std::map<std::string, std::vector<std::string>> seeds() {
  std::map<std::string, std::vector<std::string>> out;
  add_states(out);
  add_two_editions(out);
  add_units(out["unit_state"]);
  const auto reference = reference_of(all_checks_stream().schema);
  out["reference"] = {'\0' + stats::export_bytes(*reference), '\1' + stats::export_bytes(*reference).substr(8),
                      '\2' + reference->content()};
  out["outbox_row"] = {outbox_row_seed("alert.firing", 0, 0), outbox_row_seed("retrain.requested", 2, 1)};
  out["journal"] = {journal_seed('\0'), journal_seed('\2')};
  out["config"] = {all_checks_yaml()};
  return out;
}

}  // namespace driftd::fuzz
