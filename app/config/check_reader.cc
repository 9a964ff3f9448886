#include "app/config/check_reader.h"

#include <algorithm>

#include "app/config/try_units.h"
#include "app/config/unit_lookup.h"
#include "core/text.h"
#include "stats/distance.h"

namespace driftd::app {
namespace {

// The fields one entry of `checks` is about, as indices; -1 for none.
std::vector<int> fields_of(const Node& node, const Params& common, const rules::CheckUnit& unit, const StreamConfig& stream,
                           const Unsure& unsure, const std::string& where, ErrorList& errors) {
  const std::vector<std::string>& names = common.texts("field");
  if (unit.field_use == rules::FieldUse::kNone) {
    if (!names.empty()) errors.add(common.node("field"), where + " is about no field", "remove field");
    return {-1};
  }
  if (names.empty()) {
    if (unit.field_use == rules::FieldUse::kRequired) errors.add(node, where + ": 'field' is missing");
    return {-1};
  }
  std::vector<std::string> known;
  for (const Field& field : stream.schema.fields) known.push_back(field.name);
  std::vector<int> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    const Node& at = item_at(common.node("field"), i);
    const auto index = stream.schema.index_of(name);
    if (!index) {
      const auto near = nearest(name, known);
      errors.add(at, where + ": there is no field '" + excerpt(name, 60) + "'",
                 near ? "did you mean '" + *near + "'?" : "known fields: " + join(known));
      continue;
    }
    const FieldKind kind = stream.schema.fields[*index].kind;
    if (unsure.fields.count(name) == 0 && !unit.kinds.empty() &&
        std::find(unit.kinds.begin(), unit.kinds.end(), kind) == unit.kinds.end()) {
      errors.add(at, where + " does not apply to " + name + ", which is of type " + to_string(kind));
      continue;
    }
    out.push_back(static_cast<int>(*index));
  }
  return out;
}

// What to write for a check that does not exist but that people look for.
std::string check_hint(const std::string& name) {
  if (name == "drift")
    return "calibrated drift is not in this version of driftd; write check: distance, or a detector such as check: adwin";
  const auto& metrics = stats::distances();
  const auto near = metrics.find(name) != nullptr || nearest(name, rules::checks().names()) ? std::nullopt : nearest(name, metrics.names());
  if (metrics.find(name) == nullptr && !near) return {};
  return "write check: distance, metric: " + near.value_or(name);
}

void read_by(const Node& node, const StreamConfig& stream, const Unsure& unsure, const std::string& where,
             const std::vector<std::string>& by, ErrorList& errors) {
  const Node* at = node.find("by");
  if (at == nullptr) return;
  refuse_twice(by, *at, where + ": by", errors);
  if (unsure.levels) return;
  std::vector<std::string> known;
  for (const Level& level : stream.windows.levels) known.push_back(level.by);
  for (std::size_t i = 0; i < by.size(); ++i) {
    if (std::find(known.begin(), known.end(), by[i]) != known.end()) continue;
    const auto near = nearest(by[i], known);
    errors.add(item_at(*at, i), where + ": by: '" + excerpt(by[i], 60) + "' is not in windows.by",
               near ? "did you mean '" + *near + "'?" : "known: " + join(known));
  }
}

}  // namespace

void read_check(const Node& node, StreamConfig& stream, const Unsure& unsure, std::set<std::string>& taken, ErrorList& errors) {
  const Node* named = node.find("check");
  const std::string name = named != nullptr && named->is_scalar() ? named->scalar : "";
  if (name.empty()) return errors.add(node, "stream " + stream.name + ": a check has no name", "write {check: in_range, ...}");
  const std::string where = "stream " + stream.name + ": check " + excerpt(name, 60);
  const auto* unit = find_unit(rules::checks(), *named, name, "check", errors, check_hint(name));
  if (unit == nullptr) return;
  const std::size_t before = errors.errors().size();
  const auto fine = [&] { return errors.errors().size() == before; };
  const Params params = read_params(node, both(rules::common_params(), unit->descriptor.params), where, errors);
  const std::vector<std::string>& by = params.texts("by");
  read_by(node, stream, unsure, where, by, errors);
  for (const int field : fields_of(node, params, unit->make, stream, unsure, where, errors)) {
    CheckConfig check;
    check.unit = unit;
    check.params = params;
    check.field = field;
    check.name = params.has("name") ? params.text("name") : name;
    check.severity = severity(params.text("severity")).value_or(Severity::kWarning);
    check.by = by;
    const bool sure = field < 0 || unsure.fields.count(stream.schema.fields[static_cast<std::size_t>(field)].name) == 0;
    const auto made = sure ? try_check(stream, *unit, field, node, where, errors) : nullptr;
    const bool elsewhere = std::any_of(check.by.begin(), check.by.end(), [](const std::string& level) { return level != "sensor"; });
    if (made != nullptr && fine() && elsewhere && made->judges_records()) {
      errors.add(params.node("by"), where + ": by: a detector runs for every sensor, not for other segments",
                 "leave by out, or write by: [sensor]");
    }
    // A check with errors takes no name: the next one's own errors are what matters.
    if (fine() && !taken.insert(check.name + "/" + std::to_string(field)).second) {
      errors.add(node, where + " is there twice for the same field", "give one of them another name: {check: " + name + ", name: ...}");
    }
    stream.checks.push_back(std::move(check));
  }
}

}  // namespace driftd::app
