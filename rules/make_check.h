// The factory of a unit whose constructor takes (params, context) and cannot fail.
#pragma once

#include <memory>

#include "rules/check.h"

namespace driftd::rules {

template <class T>
Result<std::unique_ptr<Check>> make_check(const Params& params, const CheckContext& context) {
  return std::unique_ptr<Check>(std::make_unique<T>(params, context));
}

}  // namespace driftd::rules
