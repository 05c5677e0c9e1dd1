#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A singly linked list of strings. The list owns its strings. */

struct node {
    char *value;
    struct node *next;
};

struct list {
    struct node *head, *tail;
    size_t length;
};

void list_init(struct list *list)
{
    list->head = list->tail = NULL;
    list->length = 0;
}

static struct node *node_create(const char *value)
{
    struct node *node = malloc(sizeof(*node));
    if (node == NULL)
        return NULL;
    node->value = malloc(strlen(value) + 1);
    if (node->value == NULL) {
        free(node);
        return NULL;
    }
    strcpy(node->value, value);
    node->next = NULL;
    return node;
}

bool list_append(struct list *list, const char *value)
{
    struct node *node = node_create(value);
    if (node == NULL)
        return false;
    if (list->tail == NULL)
        list->head = node;
    else
        list->tail->next = node;
    list->tail = node;
    list->length++;
    return true;
}

/* Removes the first node with this value. Returns false if there is none. */
bool list_remove(struct list *list, const char *value)
{
    struct node *previous = NULL;
    struct node *node = list->head;

    while (node != NULL && strcmp(node->value, value) != 0) {
        previous = node;
        node = node->next;
    }
    if (node == NULL)
        return false;

    if (previous == NULL)
        list->head = node->next;
    else
        previous->next = node->next;
    if (list->tail == node)
        list->tail = previous;

    free(node->value);
    free(node);
    list->length--;
    return true;
}

void list_reverse(struct list *list)
{
    struct node *previous = NULL;
    struct node *node = list->head;

    list->tail = list->head;
    while (node != NULL) {
        struct node *next = node->next;
        node->next = previous;
        previous = node;
        node = next;
    }
    list->head = previous;
}

void list_free(struct list *list)
{
    struct node *node = list->head;
    while (node != NULL) {
        struct node *next = node->next;
        free(node->value);
        free(node);
        node = next;
    }
    list_init(list);
}

int main(void)
{
    struct list list;
    list_init(&list);
    list_append(&list, "apple");
    list_append(&list, "pear");
    list_append(&list, "plum");
    list_remove(&list, "pear");
    list_reverse(&list);

    for (struct node *node = list.head; node != NULL; node = node->next)
        printf("%s\n", node->value);
    list_free(&list);
    return 0;
}
