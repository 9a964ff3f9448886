// distance: how far a window's distribution is from the reference's, by any registered metric
// (stats/distances.def). What judging does is in rules/distance_check.cc.
#include <algorithm>

#include "core/text.h"
#include "rules/distance_check.h"

namespace driftd::rules {
namespace {

std::vector<ParamSpec> own_params() {
  return {{.name = "metric",
           .type = ParamType::kChoice,
           .sentence = "Which distance; `driftd list distances` shows them",
           .required = true,
           .choices = stats::distances().names()},
          {.name = "max", .type = ParamType::kNumber, .sentence = "Largest distance allowed, on the metric's own scale", .required = true},
          {.name = "min_samples",
           .type = ParamType::kInteger,
           .sentence = "Valid values that a window needs for a verdict",
           .default_text = "30",
           .min = 1},
          {.name = "p_value",
           .type = ParamType::kNumber,
           .sentence = "Fail only if also the p-value is at most this, for metrics that have one",
           .min = 0,
           .max = 1}};
}

// One of the metrics' own parameters, and which metrics have it with which meaning.
struct Shared {
  ParamSpec spec;
  std::vector<std::pair<std::string, std::vector<std::string>>> metrics;  // by sentence
};

// Takes what the parameter is with one more metric into account: the widest bounds, all choices.
void widen(Shared& shared, const ParamSpec& spec, const std::string& metric) {
  ParamSpec& known = shared.spec;
  if (known.type != spec.type) known.type = ParamType::kNode;
  if (known.min && (!spec.min || *spec.min < *known.min)) known.min = spec.min;
  if (known.max && (!spec.max || *spec.max > *known.max)) known.max = spec.max;
  for (const std::string& choice : spec.choices) {
    if (std::find(known.choices.begin(), known.choices.end(), choice) == known.choices.end()) known.choices.push_back(choice);
  }
  const auto same = std::find_if(shared.metrics.begin(), shared.metrics.end(), [&](const auto& m) { return m.first == spec.sentence; });
  if (same != shared.metrics.end()) return same->second.push_back(metric);
  shared.metrics.push_back({spec.sentence, {metric}});
}

// The metrics' own parameters stand beside the check's. Here they have no default and are not
// required, so that it shows which were written; the chosen metric's table reads them again.
std::vector<ParamSpec> metric_params() {
  std::vector<Shared> all;
  for (const auto& unit : stats::distances().units()) {
    for (const ParamSpec& spec : unit.descriptor.params) {
      auto known = std::find_if(all.begin(), all.end(), [&](const Shared& s) { return s.spec.name == spec.name; });
      if (known == all.end()) known = all.insert(all.end(), {spec, {}});
      widen(*known, spec, unit.descriptor.name);
    }
  }
  std::vector<ParamSpec> out;
  for (Shared& shared : all) {
    std::vector<std::string> sentences;
    for (const auto& [sentence, metrics] : shared.metrics) sentences.push_back("For " + join(metrics) + ": " + sentence);
    shared.spec.sentence = join(sentences, "; ");
    shared.spec.default_text.clear();
    shared.spec.required = false;
    out.push_back(std::move(shared.spec));
  }
  return out;
}

std::vector<Reason> all_reasons() {
  std::vector<Reason> out = distance_reasons();
  for (const auto& unit : stats::distances().units()) {
    for (const Reason& reason : unit.descriptor.reasons) {
      const bool known = std::any_of(out.begin(), out.end(), [&](const Reason& r) { return r.word == reason.word; });
      if (!known) out.push_back(reason);
    }
  }
  return out;
}

// What was written of the metrics' parameters, read by the chosen metric's own table.
Result<Params> params_of(const stats::DistanceRegistry::Unit& metric, const Params& params) {
  std::vector<std::pair<std::string, Node>> given;
  for (const ParamSpec& spec : metric_params()) {
    if (params.has(spec.name)) given.emplace_back(spec.name, params.node(spec.name));
  }
  ErrorList errors;
  Params read = read_params(Node::map(given), metric.descriptor.params, "metric " + metric.descriptor.name, errors);
  if (errors.empty()) return read;
  const ConfigError& first = errors.errors().front();
  std::string message = first.message + (first.suggestion.empty() ? "" : " (" + first.suggestion + ")");
  for (const auto& [name, node] : given) {
    if (node.line != first.line || node.column != first.column) continue;
    message = "'" + name + "': " + message;
    break;
  }
  return Error{ErrorCode::kInvalidArgument, message};
}

Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
  const auto* metric = stats::distances().find(params.text("metric"));
  if (metric == nullptr) {
    return Error{ErrorCode::kNotFound, "'metric': there is no metric '" + excerpt(params.text("metric"), 60) + "'"};
  }
  const auto own = params_of(*metric, params);
  if (!own) return own.error();
  auto distance = metric->make(*own);
  if (!distance) return distance.error();
  const Field& field = context.schema->fields[static_cast<std::size_t>(context.field)];
  if (field.kind == FieldKind::kCategory && !(*distance)->for_categories()) {
    return Error{ErrorCode::kInvalidArgument,
                 "'metric' " + metric->descriptor.name + " needs numbers, but " + field.name + " is a category"};
  }
  const auto refused = [&](const std::string& why) {
    return Error{ErrorCode::kInvalidArgument, "metric " + metric->descriptor.name + " " + why};
  };
  if (params.has("p_value") && !(*distance)->has_p_value()) {
    return refused("has no p-value, so with 'p_value' it could never fail");
  }
  if (params.number("max") < 0 && !(*distance)->can_be_negative()) {
    return refused("is never below 0, so 'max' " + format_number(params.number("max")) + " would always fail");
  }
  if (own->has("bins") && own->integer("bins") == 1) {
    return refused("sees nothing with 'bins' 1; take 2 or more, or 0 for the reference's own");
  }
  DistanceRule rule{params.number("max"), static_cast<std::uint64_t>(params.integer("min_samples")), params.maybe_number("p_value")};
  return make_distance_check(rule, context, std::move(distance).value());
}

}  // namespace

void register_distance(CheckRegistry& registry) {
  std::vector<ParamSpec> params = own_params();
  for (ParamSpec& spec : metric_params()) params.push_back(std::move(spec));
  registry.add({.name = "distance",
                .summary = "A window's distribution is at most max away from the reference's.",
                .applies_to = "number, integer, flag, category",
                .params = std::move(params),
                .source = "see the metrics",
                .example = "- {check: distance, field: status, metric: psi, max: 0.2}",
                .reasons = all_reasons(),
                .notes = "Compares with the reference's own profile of the segment, or with the stream's when "
                         "the reference does not have the segment. Only valid values count: missing, null, "
                         "wrong type and NaN are left out on both sides (null_share judges those). On small "
                         "windows every distance is above 0 by chance alone; effect is the value less what "
                         "chance explains, where the metric knows it, and p_value keeps such failures out. "
                         "The p-values hold for independent records; sensors' are not. Fixed thresholds make "
                         "no promise about false alarms."},
               {.field_use = FieldUse::kRequired,
                .kinds = {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag, FieldKind::kCategory},
                .make = make});
}

}  // namespace driftd::rules
