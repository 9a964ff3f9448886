// The check behind `check: distance`, apart from how its Distance is found, so that tests can give
// it one of their own.
#pragma once

#include <memory>

#include "rules/check.h"
#include "stats/distance.h"

namespace driftd::rules {

struct DistanceRule {
  double max = 0;                          // larger scores fail
  std::uint64_t min_samples = 1;           // valid values of the window below which there is no verdict
  std::optional<double> max_p_value = {};  // a failure also needs a p-value of at most this
};

// Precondition: context.field is a field of context.schema.
std::unique_ptr<Check> make_distance_check(const DistanceRule& rule, const CheckContext& context,
                                           std::unique_ptr<stats::Distance> distance);

// Words that judging gives beside those of the distance.
std::vector<Reason> distance_reasons();

}  // namespace driftd::rules
