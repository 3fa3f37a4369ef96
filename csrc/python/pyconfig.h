/* pyconfig.h - stands beside our Python.h; the stable ABI needs nothing of it.
 */
