// How a provenance is stored beside a reference's content; docs/FORMATS.md.
#pragma once

#include "core/bytes.h"
#include "stats/reference.h"

namespace driftd::stats {

void save(ByteWriter& out, const Provenance& provenance);  // without `sources`: they are content
Status load(ByteReader& in, Provenance& provenance);

}  // namespace driftd::stats
