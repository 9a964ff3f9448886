// The list of notifiers, made from alerts/notifiers.def.
#include "alerts/notifier.h"

namespace driftd::alerts {

#define NOTIFIER(name) void register_##name(NotifierRegistry& registry);
#include "alerts/notifiers.def"
#undef NOTIFIER

const NotifierRegistry& notifiers() {
  static const NotifierRegistry registry = [] {
    NotifierRegistry r;
#define NOTIFIER(name) register_##name(r);
#include "alerts/notifiers.def"
#undef NOTIFIER
    return r;
  }();
  return registry;
}

}  // namespace driftd::alerts
