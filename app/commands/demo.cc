#include "app/commands/commands.h"

namespace driftd::app {

int demo_command(const DemoOptions&) { return fail({ErrorCode::kInternal, "not yet"}); }

}  // namespace driftd::app
