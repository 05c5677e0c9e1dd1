#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  int rows;
  int cols;
  double *data;  // row by row
} Matrix;

Matrix *matrix_new(int rows, int cols) {
  Matrix *m = malloc(sizeof(Matrix));
  if (!m) return NULL;
  m->rows = rows;
  m->cols = cols;
  m->data = calloc((size_t)rows * cols, sizeof(double));
  if (!m->data) {
    free(m);
    return NULL;
  }
  return m;
}

void matrix_free(Matrix *m) {
  if (!m) return;
  free(m->data);
  free(m);
}

double matrix_get(const Matrix *m, int row, int col) {
  return m->data[row * m->cols + col];
}

void matrix_set(Matrix *m, int row, int col, double value) {
  m->data[row * m->cols + col] = value;
}

Matrix *matrix_identity(int n) {
  Matrix *m = matrix_new(n, n);
  for (int i = 0; m && i < n; i++) {
    matrix_set(m, i, i, 1.0);
  }
  return m;
}

// Returns a new matrix or NULL if the sizes do not fit.
Matrix *matrix_multiply(const Matrix *a, const Matrix *b) {
  if (a->cols != b->rows) return NULL;
  Matrix *result = matrix_new(a->rows, b->cols);
  if (!result) return NULL;
  for (int i = 0; i < a->rows; i++) {
    for (int j = 0; j < b->cols; j++) {
      double sum = 0.0;
      for (int k = 0; k < a->cols; k++) {
        sum += matrix_get(a, i, k) * matrix_get(b, k, j);
      }
      matrix_set(result, i, j, sum);
    }
  }
  return result;
}

Matrix *matrix_transpose(const Matrix *m) {
  Matrix *t = matrix_new(m->cols, m->rows);
  if (!t) return NULL;
  for (int i = 0; i < m->rows; i++) {
    for (int j = 0; j < m->cols; j++) {
      matrix_set(t, j, i, matrix_get(m, i, j));
    }
  }
  return t;
}

/* Gaussian elimination with partial pivoting. Destroys its argument. */
double matrix_determinant(Matrix *m) {
  double det = 1.0;
  for (int col = 0; col < m->cols; col++) {
    int pivot = col;
    for (int row = col + 1; row < m->rows; row++) {
      if (fabs(matrix_get(m, row, col)) > fabs(matrix_get(m, pivot, col))) pivot = row;
    }
    if (matrix_get(m, pivot, col) == 0.0) return 0.0;
    if (pivot != col) {
      for (int k = 0; k < m->cols; k++) {
        double tmp = matrix_get(m, col, k);
        matrix_set(m, col, k, matrix_get(m, pivot, k));
        matrix_set(m, pivot, k, tmp);
      }
      det = -det;
    }
    det *= matrix_get(m, col, col);
    for (int row = col + 1; row < m->rows; row++) {
      double factor = matrix_get(m, row, col) / matrix_get(m, col, col);
      for (int k = col; k < m->cols; k++) {
        matrix_set(m, row, k, matrix_get(m, row, k) - factor * matrix_get(m, col, k));
      }
    }
  }
  return det;
}

void matrix_print(const Matrix *m) {
  for (int i = 0; i < m->rows; i++) {
    for (int j = 0; j < m->cols; j++) {
      printf("%8.3f ", matrix_get(m, i, j));
    }
    printf("\n");
  }
}
