#include "app/engine/plan.h"

#include <algorithm>

namespace driftd::app {
namespace {

using stats::PaneLayout;

// Which fields need bins, sums or quantiles on this level, so that no window carries more than its
// checks look at.
PaneLayout make_layout(const StreamPlan& plan, const CheckSet& checks, bool narrow) {
  PaneLayout layout;
  const StreamConfig& config = plan.config;
  layout.checks = static_cast<std::uint32_t>(config.checks.size());
  for (const Field& field : config.schema.fields) {
    layout.fields.push_back({.kind = field.kind});
  }
  for (std::size_t l = 0; l < config.windows.levels.size(); ++l) {
    if ((config.windows.levels[l].kind == Level::Kind::kSensor) != narrow) continue;
    for (std::size_t c = 0; c < checks.size(); ++c) {
      if (!plan.judged[l][c] || config.checks[c].field < 0) continue;
      const rules::Needs needs = checks[c]->needs();
      PaneLayout::FieldPlan& field = layout.fields[static_cast<std::size_t>(config.checks[c].field)];
      if (needs.bins && plan.reference != nullptr) {
        const std::string& name = config.schema.fields[static_cast<std::size_t>(config.checks[c].field)].name;
        const stats::FieldProfile* profile = plan.reference->field(Segment{}, name);
        if (profile != nullptr && profile->kind == field.kind) field.bins = &profile->bins;
      }
      field.sums = field.sums || (needs.sums && is_numeric(field.kind));
      field.quantiles = field.quantiles || needs.quantiles;
    }
  }
  layout.finish();
  return layout;
}

}  // namespace

SensorDictionary::Policy sensor_policy(const StreamConfig& config) {
  const WindowConfig& windows = config.windows;
  const Duration reach = windows.size + 2 * windows.slide + windows.lateness;
  return {config.sensor_cap, std::max(config.sensor_idle, reach), reach};
}

Result<CheckSet> make_checks(const StreamConfig& config, const stats::Reference* reference, bool all) {
  CheckSet set;
  for (const CheckConfig& check : config.checks) {
    rules::CheckContext context;
    context.schema = &config.schema;
    context.field = check.field;
    context.reference = reference;
    context.window = config.windows.size;
    context.explain_ok = all;
    auto made = check.unit->make.make(check.params, context);
    if (!made) return made.error().at("stream " + config.name + ": check " + check.name);
    set.push_back(std::move(*made));
  }
  return set;
}

Result<std::shared_ptr<const StreamPlan>> make_plan(StreamConfig config, std::shared_ptr<const stats::Reference> reference,
                                                    bool all_findings) {
  auto plan = std::make_shared<StreamPlan>();
  plan->config = std::move(config);
  plan->reference = std::move(reference);
  plan->all_findings = all_findings;
  const StreamConfig& c = plan->config;
  auto checks = make_checks(c, plan->reference.get(), all_findings);
  if (!checks) return checks.error();
  for (const auto& check : *checks) plan->detectors.push_back(check->judges_records());
  for (const Level& level : c.windows.levels) {
    std::vector<bool> judged;
    for (std::size_t i = 0; i < c.checks.size(); ++i) {
      const auto& by = c.checks[i].by;
      const bool listed = by.empty() || std::find(by.begin(), by.end(), level.by) != by.end();
      judged.push_back(listed);
    }
    plan->judged.push_back(std::move(judged));
  }
  plan->wide = make_layout(*plan, *checks, false);
  plan->narrow = make_layout(*plan, *checks, true);
  return std::shared_ptr<const StreamPlan>(std::move(plan));
}

Result<std::shared_ptr<const StreamPlan>> make_counting_plan(StreamConfig config, const stats::Reference& frozen) {
  auto plan = std::make_shared<StreamPlan>();
  config.checks.clear();
  plan->config = std::move(config);
  plan->judged.assign(plan->config.windows.levels.size(), {});
  for (const Field& field : plan->config.schema.fields) {
    PaneLayout::FieldPlan wide{.kind = field.kind};
    const stats::FieldProfile* profile = frozen.field({}, field.name);
    if (profile != nullptr && field.kind != FieldKind::kText) wide.bins = &profile->bins;
    wide.sums = wide.quantiles = is_numeric(field.kind);
    plan->wide.fields.push_back(wide);
    plan->narrow.fields.push_back({.kind = field.kind});
  }
  plan->wide.finish();
  plan->narrow.finish();
  return std::shared_ptr<const StreamPlan>(std::move(plan));
}

}  // namespace driftd::app
