#include "app/engine/record_verdicts.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace driftd::app {
namespace {

constexpr std::size_t kMaxDetail = 256;

}  // namespace

RecordVerdicts::RecordVerdicts(std::shared_ptr<const StreamPlan> plan) : plan_(std::move(plan)) {
  const GateConfig gate = plan_->config.gate.value_or(GateConfig());
  for (const CheckConfig& check : plan_->config.checks) {
    const bool named = gate.checks.empty() || std::count(gate.checks.begin(), gate.checks.end(), check.name) != 0;
    gates_.push_back(named && check.severity >= gate.severity);
  }
}

void RecordVerdicts::rejected(const RawRecord& record, RejectReason reason, std::string_view detail) {
  failures_.push_back({record.position, kReject, 0, reason, excerpt(detail, kMaxDetail)});
}

void RecordVerdicts::failed(std::uint32_t check, const Batch& batch, const rules::RowHits& hits) {
  if (!gates_[check]) return;
  for (const rules::RowHits::Hit& hit : hits.failed) {
    failures_.push_back({batch.position[hit.row], check, hit.value, {}, {}});
  }
}

void RecordVerdicts::judged_with(const stats::Reference* reference, std::int64_t position) {
  if (reference != newest_) judged_.push_back({position, reference});
  newest_ = reference;
}

ingest::GateBatch RecordVerdicts::take(std::shared_ptr<const RawBatch> raw) {
  ingest::GateBatch out;
  const auto place = [&](std::int64_t position) {
    const auto at = std::lower_bound(raw->records.begin(), raw->records.end(), position,
                                     [](const RawRecord& r, std::int64_t p) { return r.position < p; });
    return static_cast<std::uint32_t>(at - raw->records.begin());
  };
  // By record, then in the order of the configuration.
  std::sort(failures_.begin(), failures_.end(),
            [](const Failure& a, const Failure& b) { return a.position != b.position ? a.position < b.position : a.check < b.check; });
  for (std::size_t i = 0; i < failures_.size();) {
    const Failure& first = failures_[i];
    ingest::GateMark m = mark(place(first.position), first);
    std::string names = m.check;
    std::size_t n = 0;
    for (; i < failures_.size() && failures_[i].position == first.position; ++i) {
      if (n++ != 0) names += "," + plan_->config.checks[failures_[i].check].name;
    }
    if (n > 1) m.checks = std::move(names);
    out.marks.push_back(std::move(m));
  }
  for (const Judged& j : judged_) {
    const std::string name = j.reference == nullptr ? "" : j.reference->name + "@" + std::to_string(j.reference->version);
    out.references.push_back({place(j.position), name});
  }
  failures_.clear();
  judged_.clear();
  if (newest_ != nullptr) judged_.push_back({0, newest_});  // the next batch goes on with it
  out.raw = std::move(raw);
  return out;
}

ingest::GateMark RecordVerdicts::mark(std::uint32_t record, const Failure& first) const {
  ingest::GateMark m;
  m.record = record;
  if (first.check == kReject) {
    m.rejected = true;
    m.reason = to_string(first.reject);
    m.detail = first.detail;
    return m;
  }
  const CheckConfig& check = plan_->config.checks[first.check];
  m.check = check.name;
  if (check.field >= 0) m.field = plan_->config.schema.fields[static_cast<std::size_t>(check.field)].name;
  const auto& reasons = check.unit->descriptor.reasons;
  if (!reasons.empty()) m.reason = reasons.front().word;
  if (std::isfinite(first.value)) append_number(m.detail, first.value);
  return m;
}

}  // namespace driftd::app
