// A stream with every registered check, as its example in the registry writes it, and a reference for those
// that want one: a unit that is added is fuzzed without a line here.
#pragma once

#include <set>

#include "app/config/config.h"
#include "app/config/yaml.h"
#include "app/engine/editions.h"
#include "rules/check.h"
#include "tests/fuzz/fuzz.h"

namespace driftd::fuzz {

// The kind of a field that examples name: the first that the unit takes, where the name does not say more.
inline std::string field_type(const rules::CheckUnit& unit, const std::string& name) {
  if (name == "prediction_wrong") return "flag";
  if (name == "status") return "category";
  if (name == "message_id") return "text";
  return unit.kinds.empty() ? "number" : to_string(unit.kinds.front());
}

// The text of a configuration; made of the descriptors' examples.
inline std::string all_checks_yaml() {
  std::string fields = "      site: {type: category, role: segment}\n      inlet: number\n      makeup: number\n      outlet: number\n";
  std::string checks;
  std::set<std::string> known;
  for (const auto& unit : rules::checks().units()) {
    checks += "      " + unit.descriptor.example + "\n";
    ErrorList errors;
    const Node list = app::parse_yaml(unit.descriptor.example, errors);
    FUZZ_CHECK(errors.empty() && list.is_list(), unit.descriptor.example);
    for (const Node& check : list.items) {
      const Node* about = check.find("field");
      if (about == nullptr) continue;
      for (const Node& name : about->is_list() ? about->items : std::vector<Node>{*about}) {
        if (!known.insert(name.scalar).second) continue;
        fields += "      " + name.scalar + ": " + field_type(unit.make, name.scalar) + "\n";
      }
    }
  }
  return "service: {data_dir: data}\n"
         "streams:\n"
         "  all:\n"
         "    from: {http: {}}\n"
         "    decode: {format: json, sensor: s, time: {field: ts, unit: s}}\n"
         "    fields:\n" +
         fields +
         "    windows: {size: 1m, slide: 30s, lateness: 5s, by: [stream, site, sensor]}\n"
         "    checks:\n" +
         checks;
}

inline app::StreamConfig all_checks_stream() {
  ErrorList errors;
  app::Config config = app::read_config(all_checks_yaml(), "/nonexistent", errors);
  FUZZ_CHECK(errors.empty(), app::format_errors("all_checks", errors) + all_checks_yaml());
  config.streams[0].sensor_cap = 64;
  return std::move(config.streams[0]);
}

// `edges`: of the bins of numbers, inner ones; each version of a reference has its own.
inline std::shared_ptr<const stats::Reference> reference_of(const Schema& schema, const std::vector<double>& edges = {0, 1, 20}) {
  auto reference = std::make_shared<stats::Reference>();
  reference->name = "all";
  reference->version = 1;
  reference->window = kMinute;
  stats::SegmentProfile segment;
  segment.rows = 100;
  for (const Field& field : schema.fields) {
    stats::FieldProfile& profile = segment.fields.emplace_back();
    profile.name = field.name;
    profile.kind = field.kind;
    profile.valid = 100;
    if (field.kind == FieldKind::kText) {
      profile.bins.kind = stats::Bins::Kind::kCategory;
      profile.bin_counts.assign(profile.bins.size(), 0);
    } else if (is_numeric(field.kind)) {
      for (int i = 0; i < 100; ++i) profile.moments.add(i % 3);
      profile.bins.edges = edges;
      profile.bin_counts.assign(edges.size() + 1, 100 / (edges.size() + 1));
      profile.bin_counts.back() += 100 % (edges.size() + 1);
      for (std::size_t i = 0; i <= edges.size(); ++i) profile.bin_sums.push_back(static_cast<double>(30 * i));
    } else {
      profile.bins.kind = stats::Bins::Kind::kCategory;
      profile.bins.categories = {"idle", "ok"};
      profile.bin_counts = {40, 60, 0};
    }
  }
  reference->segments.push_back(std::move(segment));
  stats::Reference read;
  read.name = "all";
  read.version = 1;
  const Status s = read.load_content(reference->content());
  FUZZ_CHECK(s.ok(), s.ok() ? "" : s.error().message);
  return std::make_shared<const stats::Reference>(std::move(read));
}

// A stream whose state is small, so that mutations meet what matters, under a reference that changes to one of other bins.
inline std::vector<app::PlanEdition> two_editions() {
  ErrorList errors;
  app::Config config = app::read_config(
      "service: {data_dir: data}\n"
      "streams:\n"
      "  all:\n"
      "    from: {http: {}}\n"
      "    decode: {format: json, sensor: s, time: {field: ts, unit: s}}\n"
      "    reference: all@production\n"
      "    fields:\n"
      "      t: number\n"
      "      site: {type: category, role: segment}\n"
      "    windows: {size: 1m, slide: 30s, lateness: 5s, by: [stream, site]}\n"
      "    checks:\n"
      "      - {check: in_range, field: t, min: 0, max: 30}\n"
      "      - {check: distance, field: t, metric: psi, max: 0.2}\n",
      "/nonexistent", errors);
  FUZZ_CHECK(errors.empty(), app::format_errors("two_editions", errors));
  std::vector<app::PlanEdition> out;
  for (const auto& edges : {std::vector<double>{0, 1, 20}, std::vector<double>{0, 1, 2, 3, 5, 8, 13, 21}}) {
    const auto plan = app::make_plan(config.streams[0], reference_of(config.streams[0].schema, edges), true);
    FUZZ_CHECK(plan.ok(), plan.ok() ? "" : plan.error().message);
    out.push_back({out.empty() ? kNoTime : 1700000100 * kSecond, *plan});
  }
  return out;
}

// Adopts all editions but the first, of which the part was made.
template <class Part>
void adopt_rest(Part& part, const std::vector<app::PlanEdition>& editions) {
  for (std::size_t i = 1; i < editions.size(); ++i) FUZZ_CHECK(part.adopt(editions[i]).ok(), "an edition that is not adopted");
}

// Records that touch every field, of a few sensors, over some windows.
inline std::vector<std::string> some_records(const Schema& schema, int n) {
  std::vector<std::string> out;
  for (int i = 0; i < n; ++i) {
    std::string record = "{\"ts\":" + std::to_string(1700000000 + i * 7) + ",\"s\":\"p" + std::to_string(i % 3) + "\"";
    for (std::size_t f = 0; f < schema.fields.size(); ++f) {
      const Field& field = schema.fields[f];
      record += ",\"" + field.name + "\":";
      if ((i + static_cast<int>(f)) % 11 == 0) {
        record += "null";
      } else if (field.kind == FieldKind::kFlag) {
        record += i % 2 == 0 ? "true" : "false";
      } else if (is_numeric(field.kind)) {
        record += std::to_string(i * 13 % 40);
      } else {
        record += i % 5 == 0 ? "\"ok\"" : "\"v" + std::to_string(i % 7) + "\"";
      }
    }
    out.push_back(record + "}");
  }
  return out;
}

inline RawBatch raw_batch(const std::vector<std::string>& records, std::int64_t first = 0) {
  RawBatch raw;
  for (const std::string& record : records) {
    RawRecord one;
    one.payload = record;
    one.position = first++;
    raw.records.push_back(one);
  }
  raw.next_position = first;
  return raw;
}

struct IgnoreRejects final : RejectSink {
  void reject(const RawRecord&, RejectReason, std::string_view) override {}
  void extra_field(std::string_view) override {}
};

}  // namespace driftd::fuzz
