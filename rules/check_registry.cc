// The list of checks: rules/checks.def, and every detector of stats/detectors.def as a check.
#include "rules/check.h"
#include "rules/detector_check.h"

namespace driftd::rules {

#define CHECK(name) void register_##name(CheckRegistry& registry);
#include "rules/checks.def"
#undef CHECK

const CheckRegistry& checks() {
  static const CheckRegistry registry = [] {
    CheckRegistry r;
#define CHECK(name) register_##name(r);
#include "rules/checks.def"
#undef CHECK
    register_detector_checks(r);
    return r;
  }();
  return registry;
}

const std::vector<ParamSpec>& common_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "check", .type = ParamType::kText, .sentence = "Name of the check", .required = true},
      {.name = "field", .type = ParamType::kTextList, .sentence = "Field or fields it is about; one check each"},
      {.name = "severity",
       .type = ParamType::kChoice,
       .sentence = "How bad a failure is; routes match on it",
       .default_text = "warning",
       .choices = {"info", "warning", "critical"}},
      {.name = "name",
       .type = ParamType::kText,
       .sentence = "Name in findings and metrics, when a stream has the same check on the same field twice"},
      {.name = "by", .type = ParamType::kTextList, .sentence = "Segments it judges, of those in windows.by; all of them when absent"},
  };
  return specs;
}

}  // namespace driftd::rules
