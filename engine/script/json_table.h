#pragma once

#include <cstddef>

#include "base/byte_buffer.h"
#include "script/raw_table.h"

namespace perigee::script {

/// What JSON takes for more than it is. Each VM has its own.
struct JsonMarks {
  const void* array = nullptr;  ///< the metatable of perigee.array
  RawValue null;                ///< perigee.null
};

struct JsonLimits {
  int depth;         ///< of tables in tables
  std::size_t size;  ///< bytes of output
};

/// Appends a table as JsonEncoder would, read from memory: most by far need nothing else. Gives up (false, with `out`
/// as it was) on whatever can't be written, and on lists of which a part is no list in memory: whoever calls it then
/// asks JsonEncoder, which knows what is wrong. Throws std::bad_alloc. REQUIRES: RawTable::is_known().
[[nodiscard]] bool write_json_table(const RawTable& table, const JsonMarks& marks, const JsonLimits& limits,
                                    ByteBuffer& out);

}  // namespace perigee::script
