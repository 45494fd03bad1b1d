/* test_contract.c - the public interface, of libola_sim. */
#include "contract/contract.h"
#include "contract/files.h"
#include "contract/maps.h"
#include "contract/sparse.h"
