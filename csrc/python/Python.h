/*
 * Python.h - the part of CPython's stable ABI that the cffi glue uses.
 *
 * Distributions ship CPython's own headers apart from the interpreter. Where
 * they are missing, the extension is built with these declarations instead:
 * they name functions that every CPython since 3.2 exports, so the result is
 * the same abi3 module. See ffi_build.py.
 *
 * Source: "C API Stability", the list of the limited API.
 */
#ifndef HCSSHIM_PYTHON_H
#define HCSSHIM_PYTHON_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "pyconfig.h"

typedef struct _object PyObject;
typedef struct _ts PyThreadState;
typedef ssize_t Py_ssize_t;

#define PyMODINIT_FUNC __attribute__((visibility("default"))) PyObject *

extern PyObject _Py_NoneStruct;
#define Py_None (&_Py_NoneStruct)

void Py_IncRef(PyObject *object);
void Py_DecRef(PyObject *object);
#define Py_INCREF(object) Py_IncRef((PyObject *)(object))
#define Py_DECREF(object) Py_DecRef((PyObject *)(object))
#define Py_XINCREF(object) Py_IncRef((PyObject *)(object))
#define Py_XDECREF(object) Py_DecRef((PyObject *)(object))

PyThreadState *PyEval_SaveThread(void);
void PyEval_RestoreThread(PyThreadState *state);
#define Py_BEGIN_ALLOW_THREADS                                                 \
    {                                                                          \
        PyThreadState *_save = PyEval_SaveThread();
#define Py_END_ALLOW_THREADS                                                   \
    PyEval_RestoreThread(_save);                                               \
    }

PyObject *PyBool_FromLong(long value);
PyObject *PyFloat_FromDouble(double value);
double PyFloat_AsDouble(PyObject *object);
PyObject *PyLong_FromLong(long value);
PyObject *PyLong_FromUnsignedLong(unsigned long value);
PyObject *PyLong_FromLongLong(long long value);
PyObject *PyLong_FromUnsignedLongLong(unsigned long long value);
PyObject *PyLong_FromVoidPtr(void *pointer);

int PyArg_UnpackTuple(PyObject *arguments, const char *name, Py_ssize_t least,
                      Py_ssize_t most, ...);
PyObject *PyErr_Occurred(void);
PyObject *PyImport_ImportModule(const char *name);
PyObject *PyObject_CallMethod(PyObject *object, const char *name,
                              const char *format, ...);
void *PyObject_Malloc(size_t size);
void PyObject_Free(void *pointer);
__attribute__((noreturn)) void Py_FatalError(const char *message);

#endif
